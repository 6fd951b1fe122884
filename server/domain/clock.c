/* The one answer of a clock that has nothing to do. */
#include "server/domain/clock.h"

struct status clock_not_due(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "NOT_DUE", "nothing is due");
}
