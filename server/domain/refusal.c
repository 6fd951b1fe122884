/* See refusal.h. */
#include "server/domain/refusal.h"

struct status refusal_not_found(void)
{
	return status_make(STATUS_CODE_NOT_FOUND, "NOT_FOUND", "there is no such object");
}

struct status refusal_permission_missing(const char *permission, struct arena *arena)
{
	struct status st = status_make(STATUS_CODE_PERMISSION_DENIED, "PERMISSION_MISSING",
				       "the caller does not have the permission for this");
	status_add_pair(&st, arena, "permission", permission);
	return st;
}

struct status refusal_no_method(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "NO_METHOD",
			   "there is no usable risk method in force");
}

struct status refusal_not_due(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "NOT_DUE", "nothing is due");
}
