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

enum { RPC_LOADS_MAX = 16 };

enum rpc_mode {
	RPC_READ = 1, /* queries fill the reply; or, with decide, load, decide, reply */
	RPC_LIST,     /* one query fills a repeated field; keyset pages */
	RPC_WRITE,    /* load, decide, commit */
	/* A stream that a room of its own serves: the engine only says whether and
	 * for whom it may begin. Like RPC_READ, but the one load fills, instead of
	 * the reply, a message of its row's type ("." and no rows: NOT_FOUND). */
	RPC_STREAM,
};

enum rpc_auth {
	RPC_AUTH_TOKEN = 0, /* valid access token needed */
	RPC_AUTH_NONE,      /* open to anybody (Login, Activate) */
	/* A write of a service in isms.store, started by the server itself for an
	 * organisation (engine_system_start) and never served. There is no caller:
	 * no key of idempotency, no guard of account and session; the audit event
	 * names "system". It replies nothing, its refusals are not recorded. */
	RPC_AUTH_SYSTEM,
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
	/* Without decide: field of the reply that the rows fill: a message field
	 * takes the one row (none: NOT_FOUND), a repeated field all rows, "." the
	 * reply itself. With decide: NULL. */
	const char *into;
	/* Type of the rows, where no reply field tells: with decide. */
	const ProtobufCMessageDescriptor *row;
	/* Without decide: the statement that is used instead of query when the
	 * request's field as_of (google.protobuf.Timestamp) is set; it fills the
	 * same, with as_of as a parameter of that name. A method whose request has
	 * as_of names one with each of its loads. A time ahead of the database's
	 * clock is INVALID_ARGUMENT; a page token is good only with the as_of that
	 * it was made for. */
	const char *past;
};

struct rpc {
	const char *method; /* name in the service */
	enum rpc_mode mode;
	enum rpc_auth auth;
	/* Needed at the object's scope; NULL: any valid caller. Without decide the
	 * query checks it as $permission. */
	const char *permission;
	/* RPC_LIST: what is listed belongs to an object that has at least one of
	 * it: none means that the object is not there for the caller, NOT_FOUND. */
	bool empty_is_not_found;
	/* With decide: query that gives the Access row for the object that the call
	 * is about (no row: NOT_FOUND), and the permission to see it at all
	 * (without: NOT_FOUND). NULL: the method is about the caller. */
	const char *access;
	const char *visible;
	/* With decide: permission is checked by decide (ownership by other columns
	 * than the access row's owner, several permissions that suffice). */
	bool decide_checks_permission;
	/* RPC_WRITE: versioned row that Mutation.expected_version is about: name
	 * of a load whose first row it is; NULL: expected_version is not used. */
	const char *target;
	bool needs_expected_version; /* zero is INVALID_ARGUMENT */
	/* RPC_WRITE: statement of the commit that finds what a plan that ends all of
	 * something (plan->ends_all) has not seen, because it came after the load. It
	 * calls must_one, and follows the versioned rows: what comes later must wait for
	 * one of these. NULL: no plan of the method ends all of anything. */
	const char *leftover;
	enum rpc_work work;
	const char *work_set;
	struct rpc_load load[RPC_LOADS_MAX];
	/* The law. Pure. Must set plan->reply, or return a status, or set
	 * plan->outcome. A write has one; a read may have one, when what it tells is
	 * decided and not stored: it only sets plan->reply, nothing is committed or
	 * recorded, and it takes no mutation. The loads are then facts, and access,
	 * visible and permission are checked as a write's. */
	struct status (*decide)(const struct facts *facts, struct plan *plan);
};

struct rpc_service {
	const ProtobufCServiceDescriptor *descriptor;
	const struct rpc *rpcs;
	size_t n_rpcs;
};

#endif
