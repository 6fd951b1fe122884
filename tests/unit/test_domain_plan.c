#include <sys/wait.h>
#include <unistd.h>

#include "isms/v1/asset.pb-c.h"
#include "tests/unit/domain_case.h"

TEST(an_insert_gets_its_meta)
{
	struct domain_case c;
	case_begin(&c);
	Isms__V1__Asset *asset = must_new_of(c.arena, Isms__V1__Asset, isms__v1__asset);
	asset->meta = case_meta(&c, "", 77);
	asset->meta->ref = (char *)"AST-000042";
	asset->meta->created_by = (char *)"forged";
	plan_insert(&c.plan, KIND_ASSET, &asset->base);
	CHECK_INT(strlen(asset->meta->id), 36);
	CHECK_STR(asset->meta->ref, "AST-000042");
	CHECK_INT(asset->meta->version, 1);
	CHECK_STR(asset->meta->created_by, CASE_ACTOR);
	CHECK_STR(asset->meta->updated_by, CASE_ACTOR);
	CHECK_INT(pb_time_us(asset->meta->created_at), CASE_NOW_US);
	CHECK_INT(pb_time_us(asset->meta->updated_at), CASE_NOW_US);
	CHECK(asset->meta->archived_at == NULL);
	CHECK_INT(c.plan.subject_kind, KIND_ASSET);
	CHECK_STR(c.plan.subject_id, asset->meta->id);
	case_end(&c);
}

TEST(an_update_grows_the_version_and_leaves_the_original)
{
	struct domain_case c;
	case_begin(&c);
	Isms__V1__Asset *before = must_new_of(c.arena, Isms__V1__Asset, isms__v1__asset);
	before->meta = case_meta(&c, CASE_ID("71"), 8);
	before->meta->created_by = (char *)CASE_ID("01");
	before->name = (char *)"one";
	Isms__V1__Asset *after = plan_copy_of(&c.plan, Isms__V1__Asset, before);
	after->name = (char *)"two";
	plan_update(&c.plan, KIND_ASSET, &before->base, &after->base);
	CHECK_INT(before->meta->version, 8);
	CHECK_STR(before->name, "one");
	CHECK_INT(after->meta->version, 9);
	CHECK_STR(after->meta->created_by, CASE_ID("01"));
	CHECK_STR(after->meta->updated_by, CASE_ACTOR);
	CHECK_INT(c.plan.rows[0].op, PLAN_UPDATE);
	case_end(&c);
}

TEST(the_subject_is_the_first_row_unless_it_was_set)
{
	struct domain_case c;
	case_begin(&c);
	c.plan.subject_kind = KIND_RISK;
	c.plan.subject_id = CASE_ID("01");
	Isms__V1__Asset *asset = must_new_of(c.arena, Isms__V1__Asset, isms__v1__asset);
	plan_insert(&c.plan, KIND_ASSET, &asset->base);
	CHECK_INT(c.plan.subject_kind, KIND_RISK);
	case_end(&c);
}

static void update_twice(struct domain_case *c)
{
	Isms__V1__Asset *before = must_new_of(c->arena, Isms__V1__Asset, isms__v1__asset);
	before->meta = case_meta(c, CASE_ID("71"), 8);
	for (int i = 0; i < 2; i++)
		plan_update(&c->plan, KIND_ASSET, &before->base,
			    plan_copy(&c->plan, &before->base));
}
static void wrong_kind(struct domain_case *c)
{
	Isms__V1__Asset *asset = must_new_of(c->arena, Isms__V1__Asset, isms__v1__asset);
	plan_insert(&c->plan, KIND_RISK, &asset->base);
}
static void put_versioned(struct domain_case *c)
{
	Isms__V1__Asset *asset = must_new_of(c->arena, Isms__V1__Asset, isms__v1__asset);
	plan_put(&c->plan, KIND_ASSET, &asset->base);
}
static void missing_set(struct domain_case *c)
{
	(void)fact_row(&c->facts, "nothing", Isms__V1__Asset, isms__v1__asset);
}
static void wrong_type(struct domain_case *c)
{
	case_none(c, "assets", &isms__v1__asset__descriptor);
	(void)fact_row(&c->facts, "assets", Isms__Store__V1__Account, isms__store__v1__account);
}

/* Whether the function ends the program by an assertion. */
static bool asserts(void (*fn)(struct domain_case *c))
{
	struct domain_case c;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		case_begin(&c);
		fn(&c);
		_exit(0);
	}
	int status = 0;
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

TEST(bugs_of_a_method_are_caught)
{
	CHECK(asserts(update_twice));
	CHECK(asserts(wrong_kind));
	CHECK(asserts(put_versioned));
	CHECK(asserts(missing_set));
	CHECK(asserts(wrong_type));
}

TEST(a_permission_holds_as_it_is_or_for_the_owner)
{
	static const struct {
		const char *held;
		bool others, own;
	} want[] = {
		{ "asset.write", true, true },
		{ "asset.write.own", false, true },
		{ "asset.writer", false, false },
		{ "asset", false, false },
		{ "asset.read", false, false },
		{ "asset.write.own.own", false, false },
		{ "", false, false },
	};
	struct domain_case c;
	case_begin(&c);
	Isms__Store__V1__Access access;
	isms__store__v1__access__init(&access);
	char *held[1];
	access.permissions = held;
	access.n_permissions = 1;
	CHECK(!facts_may(&c.facts, "asset.write")); /* no access row */
	c.facts.access = &access;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		held[0] = (char *)want[i].held;
		access.owner_id = (char *)CASE_ID("01");
		CHECK_INT(facts_may(&c.facts, "asset.write"), want[i].others);
		access.owner_id = (char *)CASE_ACTOR;
		CHECK_INT(facts_may(&c.facts, "asset.write"), want[i].own);
		access.owner_id = (char *)"";
		CHECK_INT(facts_may(&c.facts, "asset.write"), want[i].others);
	}
	case_end(&c);
}

TEST(kinds_are_in_order_and_found_by_name)
{
	for (int id = KIND_NONE + 1; id < KIND_COUNT; id++) {
		const struct kind *kind = kind_of((enum kind_id)id);
		CHECK_INT(kind->id, id);
		CHECK(kind_by_name(kind->name) == kind);
		CHECK_INT(pb_field(kind->row, "meta") != NULL, kind->versioned);
		CHECK_INT(kind->versioned, id < KIND_APPROVAL_ASSIGNEE);
	}
	CHECK(kind_by_name("nothing") == NULL);
}

TAP_MAIN
