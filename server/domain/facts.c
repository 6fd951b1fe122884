/* Access to what was loaded. A set that the method does not load, or rows of
 * another type, are bugs of the method's row, not of the world. */
#include "server/domain/facts.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

ProtobufCMessage *const *facts_rows(const struct facts *facts, const char *set,
				    const ProtobufCMessageDescriptor *type, size_t *n)
{
	for (size_t i = 0; i < facts->n_sets; i++) {
		if (strcmp(facts->sets[i].name, set) != 0)
			continue;
		assert(facts->sets[i].type == type);
		*n = facts->sets[i].n;
		return facts->sets[i].rows;
	}
	/* the method does not load this set */
	abort();
}

const ProtobufCMessage *facts_row(const struct facts *facts, const char *set,
				  const ProtobufCMessageDescriptor *type)
{
	size_t n = 0;
	ProtobufCMessage *const *rows = facts_rows(facts, set, type, &n);
	return n > 0 ? rows[0] : NULL;
}

/* Whether held is the permission, or the permission with ".own" at its end. */
static bool grants(const char *held, const char *permission, bool owner)
{
	size_t len = strlen(permission);
	if (strncmp(held, permission, len) != 0)
		return false;
	return held[len] == '\0' || (owner && strcmp(held + len, ".own") == 0);
}

bool facts_may(const struct facts *facts, const char *permission)
{
	const Isms__Store__V1__Access *access = facts->access;
	if (access == NULL || facts->principal == NULL)
		return false;
	bool owner = access->owner_id[0] != '\0' &&
		     strcmp(access->owner_id, facts->principal->user_id) == 0;
	for (size_t i = 0; i < access->n_permissions; i++)
		if (grants(access->permissions[i], permission, owner))
			return true;
	return false;
}
