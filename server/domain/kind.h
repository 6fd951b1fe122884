/* The kinds of row that decisions read and write, one row of a table each. A
 * kind's name is its table in the database and the stem of its statements in
 * sql/queries: a versioned kind has <name>_insert and <name>_update, any other
 * <name>_put. The order is the canonical lock order of a commit. */
#ifndef ISMS_DOMAIN_KIND_H
#define ISMS_DOMAIN_KIND_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

enum kind_id {
	KIND_NONE = 0,
	/* versioned, in lock order */
	KIND_ORGANISATION,
	KIND_PERSON,
	KIND_APP_USER,
	KIND_SESSION,
	KIND_INVITATION,
	KIND_ROLE_GRANT,
	KIND_SCOPE,
	KIND_AI_SYSTEM,
	KIND_ASSET,
	KIND_CONTROL,
	KIND_RISK_METHOD,
	KIND_RISK,
	KIND_TREATMENT_PLAN,
	KIND_RISK_ACCEPTANCE,
	KIND_APPROVAL_POLICY,
	KIND_APPROVAL_REQUEST,
	KIND_DELEGATION,
	/* rows of an aggregate, or append-only */
	KIND_APPROVAL_ASSIGNEE,
	KIND_APPROVAL_SNAPSHOT,
	KIND_APPROVAL_VOTE,
	KIND_RISK_SCORE,
	KIND_ACCEPTANCE_REVIEW,
	KIND_COUNT,
};

struct kind {
	enum kind_id id;
	const char *name; /* table, and stem of the statements */
	const ProtobufCMessageDescriptor *row;
	bool versioned; /* row has a Meta with id and version */
	/* Permission of those who are told of changes: to read such a row, in its
	 * scope, or anywhere for kinds that belong to no scope. NULL: nobody is. */
	const char *read;
	bool anywhere;
};

/* The row of a kind; asserts that id is one. */
const struct kind *kind_of(enum kind_id id);
/* The kind with this name, or NULL. */
const struct kind *kind_by_name(const char *name);

#endif
