/* A method of the API is one row of these. The tables stand in server/rpc, one
 * file a service; the engine checks every row at start-up. */
#ifndef ISMS_ENGINE_RPC_H
#define ISMS_ENGINE_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

enum { RPC_LOADS_MAX = 12 };

enum rpc_mode {
	RPC_READ = 1, /* queries fill the reply; no C */
	RPC_LIST,     /* one query fills a repeated field; keyset pages */
	RPC_WRITE,    /* load, decide, commit */
};

enum rpc_auth {
	RPC_AUTH_TOKEN = 0, /* valid access token needed */
	RPC_AUTH_NONE,      /* open to anybody (Login, Activate) */
};

/* Slow work between load and decide, on the bounded helper. */
enum rpc_work {
	RPC_WORK_NONE = 0,
	RPC_WORK_PASSWORD_VERIFY, /* request.password against the first row's password_hash of set
				     work_set */
	RPC_WORK_PASSWORD_HASH,   /* request.password */
};

/* One statement of a load. */
struct rpc_load {
	const char *query; /* name in sql/queries; also the name of the fact set */
	/* RPC_READ, RPC_LIST: field of the reply that the rows fill: a message
	 * field takes the one row (none: NOT_FOUND), a repeated field all rows,
	 * "." the reply itself. RPC_WRITE: NULL. */
	const char *into;
	/* Type of the rows, where the reply field does not tell: RPC_WRITE. */
	const ProtobufCMessageDescriptor *row;
};

struct rpc {
	const char *method; /* name in the service */
	enum rpc_mode mode;
	enum rpc_auth auth;
	/* Needed at the object's scope; NULL: any valid caller. In RPC_READ and
	 * RPC_LIST the query checks it as $permission. */
	const char *permission;
	/* RPC_WRITE: query that gives the Access row for the object that the call
	 * is about (no row: NOT_FOUND), and the permission to see it at all
	 * (without: NOT_FOUND). NULL: the method is about the caller. */
	const char *access;
	const char *visible;
	/* RPC_WRITE: permission is checked by decide (ownership by other columns
	 * than the access row's owner, several permissions that suffice). */
	bool decide_checks_permission;
	/* RPC_WRITE: versioned row that Mutation.expected_version is about: name
	 * of a load whose first row it is; NULL: expected_version is not used. */
	const char *target;
	bool needs_expected_version; /* zero is INVALID_ARGUMENT */
	enum rpc_work work;
	const char *work_set;
	struct rpc_load load[RPC_LOADS_MAX];
	/* RPC_WRITE: the law. Pure. Must set plan->reply, or return a status, or
	 * set plan->outcome. */
	struct status (*decide)(const struct facts *facts, struct plan *plan);
};

struct rpc_service {
	const ProtobufCServiceDescriptor *descriptor;
	const struct rpc *rpcs;
	size_t n_rpcs;
};

#endif
