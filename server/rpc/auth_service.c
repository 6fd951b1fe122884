/* isms.v1.AuthService. */
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/auth.pb-c.h"
#include "server/domain/invitation.h"
#include "server/domain/session.h"
#include "server/rpc/services.h"

#define LOAD(name, type)                                                                           \
	{                                                                                          \
		.query = (name), .row = &type##__descriptor                                        \
	}

static const struct rpc rpcs[] = {
	{ .method = "Login",
	  .mode = RPC_WRITE,
	  .auth = RPC_AUTH_NONE,
	  .work = RPC_WORK_PASSWORD_VERIFY,
	  .work_set = "account_by_email",
	  .load = { LOAD("account_by_email", isms__store__v1__account),
		    LOAD("organisation_for_login", isms__store__v1__organisation) },
	  .decide = session_login },
	{ .method = "Activate",
	  .mode = RPC_WRITE,
	  .auth = RPC_AUTH_NONE,
	  .work = RPC_WORK_PASSWORD_HASH,
	  .load = { LOAD("invitation_by_secret", isms__store__v1__invitation),
		    LOAD("invitation_account", isms__store__v1__account) },
	  .decide = invitation_activate },
	{ .method = "Logout",
	  .mode = RPC_WRITE,
	  .load = { LOAD("session_current", isms__store__v1__session_row) },
	  .decide = session_logout },
	{ .method = "WhoAmI",
	  .mode = RPC_READ,
	  .load = { { .query = "whoami_session", .into = "." },
		    { .query = "whoami_user", .into = "user" },
		    { .query = "whoami_grants", .into = "grants" } } },
	{ .method = "ListSessions",
	  .mode = RPC_LIST,
	  .load = { { .query = "session_list", .into = "sessions" } } },
	{ .method = "RevokeSession",
	  .mode = RPC_WRITE,
	  .permission = "session.revoke",
	  .access = "session_access",
	  .visible = "session.revoke.own",
	  .load = { LOAD("session_for_revoke", isms__store__v1__session_row) },
	  .decide = session_revoke },
};

const struct rpc_service auth_service = {
	.descriptor = &isms__v1__auth_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
