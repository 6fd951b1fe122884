/* Rows of methods that must not start a server: each is a fault in the log. */
#include "server/engine/registry.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/log.h"
#include "isms/v1/scope.pb-c.h"
#include "server/domain/scope.h"
#include "tests/unit/tap.h"

enum { LOG_MAX = 1 << 20 };

/* Whether a table of this one row has the fault. */
static bool has_fault(const struct rpc *rpc, const char *what)
{
	static const char *kinds[KIND_COUNT];
	static char text[LOG_MAX];
	const struct rpc_service service = { &isms__v1__scope_service__descriptor, rpc, 1 };
	const struct rpc_service *services[] = { &service };
	const char *why = NULL;
	for (int id = KIND_NONE + 1, n = 0; id < KIND_COUNT; id++)
		if (kind_of((enum kind_id)id)->versioned)
			kinds[n++] = kind_of((enum kind_id)id)->name;
	struct query_set *queries = query_set_new(kinds, &why);
	CHECK(queries != NULL);
	int fd = memfd_create("log", 0);
	log_set_fd(fd);
	CHECK(registry_new(queries, services, 1) == NULL);
	log_set_fd(STDERR_FILENO);
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	CHECK(len > 0);
	text[len > 0 ? len : 0] = '\0';
	close(fd);
	query_set_free(queries);
	return strstr(text, what) != NULL;
}

TEST(a_permission_of_a_write_needs_an_access_query)
{
	static const char fault[] = "a permission needs an access query";
	struct rpc rpc = { .method = "CreateScope",
			   .mode = RPC_WRITE,
			   .permission = "scope.write",
			   .decide = scope_create };
	CHECK(has_fault(&rpc, fault));
	rpc.access = "scope_access_parent";
	rpc.visible = "scope.read";
	CHECK(!has_fault(&rpc, fault));
	rpc.access = NULL;
	rpc.permission = NULL;
	CHECK(!has_fault(&rpc, fault));
	rpc.decide_checks_permission = true;
	CHECK(has_fault(&rpc, fault));
}

TEST(a_read_looks_at_its_permission_and_the_caller)
{
	static const char permission[] = "a load does not look at the permission";
	static const char caller[] = "a load does not look at the caller";
	struct rpc rpc = { .method = "ListScopes",
			   .mode = RPC_LIST,
			   .permission = "scope.read",
			   .load = { { .query = "scope_list", .into = "scopes" } } };
	CHECK(!has_fault(&rpc, permission));
	CHECK(!has_fault(&rpc, caller));
	rpc.load[0].query = "session_list";
	CHECK(has_fault(&rpc, permission));
	CHECK(!has_fault(&rpc, caller));
	rpc.load[0].query = "scope_for_write";
	CHECK(has_fault(&rpc, permission));
	CHECK(has_fault(&rpc, caller));
}

TEST(a_read_that_decides_is_checked_like_a_write)
{
	static const char permission[] = "a permission needs an access query";
	static const char reply[] = "a load of facts fills no reply";
	static const char type[] = "a load has no row type";
	static const char mutation[] = "a read takes no mutation and has no work";
	struct rpc rpc = { .method = "GetScope",
			   .mode = RPC_READ,
			   .permission = "scope.read",
			   .load = { { .query = "scope_for_write",
				       .row = &isms__v1__scope__descriptor } },
			   .decide = scope_create };
	CHECK(has_fault(&rpc, permission));
	rpc.access = "scope_access";
	rpc.visible = "scope.read";
	CHECK(!has_fault(&rpc, permission));
	CHECK(!has_fault(&rpc, reply));
	CHECK(!has_fault(&rpc, type));
	CHECK(!has_fault(&rpc, mutation));
	rpc.load[0].into = "scope";
	CHECK(has_fault(&rpc, reply));
	rpc.load[0].into = NULL;
	rpc.load[0].row = NULL;
	CHECK(has_fault(&rpc, type));
	rpc.method = "UpdateScope";
	CHECK(has_fault(&rpc, mutation));
	rpc.decide = NULL;
	CHECK(has_fault(&rpc, "an access query needs a decide function"));
}

TEST(statements_of_the_past_go_with_as_of)
{
	static const char fault[] = "as_of and statements of the past go together";
	struct rpc rpc = { .method = "ListScopes",
			   .mode = RPC_LIST,
			   .permission = "scope.read",
			   .load = { { .query = "scope_list", .into = "scopes" } } };
	CHECK(has_fault(&rpc, fault));
	rpc.load[0].past = "scope_list_past";
	CHECK(!has_fault(&rpc, fault));
	rpc.method = "ListScopeVersions";
	rpc.load[0] = (struct rpc_load){ .query = "scope_versions", .into = "versions" };
	CHECK(!has_fault(&rpc, fault));
	rpc.load[0].past = "scope_list_past";
	CHECK(has_fault(&rpc, fault));
}

TEST(what_the_server_does_itself_is_not_of_the_api)
{
	struct rpc rpc = { .method = "CreateScope",
			   .mode = RPC_WRITE,
			   .auth = RPC_AUTH_SYSTEM,
			   .decide = scope_create };
	CHECK(has_fault(&rpc, "methods of the server itself belong to isms.store"));
	rpc.auth = RPC_AUTH_TOKEN;
	CHECK(!has_fault(&rpc, "methods of the server itself belong to isms.store"));
}

TAP_MAIN
