/* isms.v1.DirectoryService. Accounts belong to no scope: they are written with a
 * permission at the root, see the access rows in sql/queries/directory.sql. */
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/directory.pb-c.h"
#include "server/domain/grant.h"
#include "server/domain/session.h"
#include "server/domain/user.h"
#include "server/rpc/services.h"

#define LOAD(name, type)                                                                           \
	{                                                                                          \
		.query = (name), .row = &type##__descriptor                                        \
	}

static const struct rpc rpcs[] = {
	{ .method = "CreateUser",
	  .mode = RPC_WRITE,
	  .permission = "user.write",
	  .access = "organisation_access",
	  .visible = "organisation.see",
	  .load = { LOAD("person_for_user", isms__store__v1__person),
		    LOAD("persons_for_user", isms__store__v1__person) },
	  .decide = user_create },
	{ .method = "GetUser",
	  .mode = RPC_READ,
	  .permission = "user.read",
	  .load = { { .query = "user_get", .into = "user" } } },
	{ .method = "ListUsers",
	  .mode = RPC_LIST,
	  .permission = "user.read",
	  .load = { { .query = "user_list", .into = "users" } } },
	{ .method = "UpdateUser",
	  .mode = RPC_WRITE,
	  .permission = "user.write",
	  .access = "user_access",
	  .visible = "user.read",
	  .target = "user_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("user_for_write", isms__store__v1__account) },
	  .decide = user_update },
	{ .method = "DeactivateUser",
	  .mode = RPC_WRITE,
	  .permission = "user.write",
	  .access = "user_access",
	  .visible = "user.read",
	  .target = "user_for_write",
	  .load = { LOAD("user_for_write", isms__store__v1__account),
		    LOAD("user_sessions", isms__store__v1__session_row) },
	  .decide = user_deactivate },
	{ .method = "UnlockUser",
	  .mode = RPC_WRITE,
	  .permission = "user.write",
	  .access = "user_access",
	  .visible = "user.read",
	  .target = "user_for_write",
	  .load = { LOAD("user_for_write", isms__store__v1__account) },
	  .decide = user_unlock },
	{ .method = "IssueToken",
	  .mode = RPC_WRITE,
	  .permission = "token.write",
	  .access = "token_access",
	  .visible = "user.read",
	  .load = { LOAD("user_named", isms__store__v1__account) },
	  .decide = session_issue },
	{ .method = "ListRoles",
	  .mode = RPC_READ,
	  .permission = "role.read",
	  .load = { { .query = "role_list", .into = "roles" } } },
	{ .method = "GrantRole",
	  .mode = RPC_WRITE,
	  .permission = "grant.write",
	  .access = "scope_access_scope",
	  .visible = "scope.read",
	  .load = { LOAD("user_named", isms__store__v1__account),
		    LOAD("role_by_code", isms__v1__role),
		    LOAD("grant_person", isms__store__v1__person),
		    LOAD("grant_roles", isms__v1__role) },
	  .decide = grant_role },
	{ .method = "RevokeGrant",
	  .mode = RPC_WRITE,
	  .permission = "grant.write",
	  .access = "grant_access",
	  .visible = "role.read",
	  .target = "grant_for_write",
	  .load = { LOAD("grant_for_write", isms__v1__role_grant),
		    LOAD("grant_holder", isms__store__v1__account) },
	  .decide = grant_revoke },
	{ .method = "ListGrants",
	  .mode = RPC_LIST,
	  .permission = "role.read",
	  .load = { { .query = "grant_list", .into = "grants" } } },
};

const struct rpc_service directory_service = {
	.descriptor = &isms__v1__directory_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
