#include <stdio.h>
#include <stdlib.h>

#include "isms/store/v1/watch.pb-c.h"
#include "isms/v1/watch.pb-c.h"
#include "server/watch/filter.h"
#include "server/watch/notice.h"
#include "server/watch/ring.h"
#include "server/watch/viewer.h"
#include "tests/unit/tap.h"

#define ORG   "11111111-1111-7111-8111-111111111111"
#define OTHER "22222222-2222-7222-8222-222222222222"
#define ROOT  "33333333-3333-7333-8333-333333333333"
#define UNIT  "44444444-4444-7444-8444-444444444444"
#define ELSE  "55555555-5555-7555-8555-555555555555"

static struct ring ring;

static struct notice *make(int64_t tx, int64_t seq, const char *kind, const char *scope)
{
	Isms__Store__V1__WatchRow row = ISMS__STORE__V1__WATCH_ROW__INIT;
	char *scopes[] = { (char *)scope, (char *)ROOT };
	row.tx = tx;
	row.seq = seq;
	row.org_id = (char *)ORG;
	row.topic = (char *)"RiskService/UpdateRisk";
	row.entity_kind = (char *)kind;
	row.entity_ref = (char *)"RSK-000001";
	if (scope != NULL) {
		row.scope_id = (char *)scope;
		row.scope_ids = scopes;
		row.n_scope_ids = 2;
	}
	return notice_new(&row);
}

static struct cursor at(int64_t tx, int64_t seq)
{
	return (struct cursor){ tx, seq };
}

/* --- ring ------------------------------------------------------------------- */

TEST(a_notice_is_packed_once_with_its_cursor)
{
	struct notice *notice = make(7, 9, "risk", UNIT);
	Isms__V1__WatchResponse *response =
		isms__v1__watch_response__unpack(NULL, notice->len, notice->message);
	struct cursor cursor = { 0 };
	CHECK(response != NULL && cursor_parse(&cursor, response->cursor));
	CHECK_INT(cursor_compare(cursor, at(7, 9)), 0);
	CHECK_STR(response->event->entity_ref, "RSK-000001");
	CHECK_STR(response->event->scope_id, UNIT);
	CHECK_INT(notice->kind, KIND_RISK);
	isms__v1__watch_response__free_unpacked(response, NULL);
	notice_free(notice);
}

TEST(what_comes_after_a_cursor_is_found)
{
	ring_reset(&ring, at(10, 0));
	CHECK_INT(ring_after(&ring, at(10, 0)), 0);
	ring_add(&ring, make(10, 1, "risk", UNIT));
	ring_add(&ring, make(10, 2, "risk", UNIT));
	ring_add(&ring, make(12, 3, "risk", UNIT));
	CHECK_INT(ring_after(&ring, at(10, 0)), 0);
	CHECK_INT(ring_after(&ring, at(10, 1)), 1);
	CHECK_INT(ring_after(&ring, at(10, 2)), 2);
	CHECK_INT(ring_after(&ring, at(11, 0)), 2);
	CHECK_INT(ring_after(&ring, at(12, 3)), 3);
	CHECK_INT(ring_after(&ring, at(13, 0)), 3);
	ring_advance(&ring, at(15, 0));
	CHECK_INT(cursor_compare(ring.to, at(15, 0)), 0);
	ring_advance(&ring, at(14, 0));
	CHECK_INT(cursor_compare(ring.to, at(15, 0)), 0);
	ring_reset(&ring, at(0, 0));
}

TEST(a_full_ring_forgets_the_oldest_and_says_from_where_it_is_whole)
{
	ring_reset(&ring, at(1, 0));
	for (int i = 1; i <= RING_MAX + 100; i++)
		ring_add(&ring, make(i, i, "risk", UNIT));
	CHECK_INT(ring.n, RING_MAX);
	CHECK_INT(cursor_compare(ring.from, at(100, 100)), 0);
	CHECK_INT(ring_at(&ring, 0)->at.tx, 101);
	CHECK_INT(ring_at(&ring, RING_MAX - 1)->at.tx, RING_MAX + 100);
	for (int i = 100; i <= RING_MAX + 100; i++)
		CHECK_INT(ring_after(&ring, at(i, i)), i - 100);
	ring_reset(&ring, at(0, 0));
	CHECK_INT(ring.n, 0);
}

/* --- filter ----------------------------------------------------------------- */

static bool passes(const char *org, const char *kind, const char *scope, const char *topic,
		   const struct notice *notice)
{
	Isms__V1__WatchRequest request = ISMS__V1__WATCH_REQUEST__INIT;
	struct filter filter;
	char *kinds[] = { (char *)"asset", (char *)kind };
	char *topics[] = { (char *)"AssetService/UpdateAsset", (char *)topic };
	if (kind != NULL) {
		request.kinds = kinds;
		request.n_kinds = 2;
	}
	if (topic != NULL) {
		request.topics = topics;
		request.n_topics = 2;
	}
	request.scope_id = (char *)(scope != NULL ? scope : "");
	struct status st = filter_init(&filter, org, &request, NULL);
	return CHECK(status_ok(&st)) && filter_passes(&filter, notice);
}

TEST(a_filter_lets_through_what_was_asked_for)
{
	struct notice *notice = make(1, 1, "risk", UNIT);
	CHECK(passes(ORG, NULL, NULL, NULL, notice));
	CHECK(!passes(OTHER, NULL, NULL, NULL, notice));
	CHECK(passes(ORG, "risk", NULL, NULL, notice));
	CHECK(!passes(ORG, "treatment_plan", NULL, NULL, notice));
	CHECK(passes(ORG, NULL, UNIT, NULL, notice));
	CHECK(passes(ORG, NULL, ROOT, NULL, notice));
	CHECK(!passes(ORG, NULL, ELSE, NULL, notice));
	CHECK(passes(ORG, NULL, NULL, "RiskService/UpdateRisk", notice));
	CHECK(!passes(ORG, NULL, NULL, "RiskService/UpdateRis", notice));
	CHECK(passes(ORG, "risk", ROOT, "RiskService/UpdateRisk", notice));
	notice_free(notice);
	notice = make(1, 1, "control", NULL);
	CHECK(passes(ORG, "control", NULL, NULL, notice));
	CHECK(!passes(ORG, "control", ROOT, NULL, notice));
	notice_free(notice);
}

/* --- rights ----------------------------------------------------------------- */

static struct viewer_grant grant(const char *scope, enum kind_id kind)
{
	struct viewer_grant made = { .kinds = notice_kind_bit(kind) };
	CHECK(uuid_parse(scope, made.scope));
	return made;
}

TEST(a_right_holds_in_its_scope_and_below)
{
	struct viewer_grant grants[] = { grant(ELSE, KIND_RISK), grant(UNIT, KIND_ASSET) };
	struct viewer viewer = { .grants = grants, .n_grants = 2 };
	struct notice *risk = make(1, 1, "risk", UNIT);
	struct notice *orphan = make(1, 2, "risk", NULL);
	struct notice *control = make(1, 3, "control", NULL);
	struct notice *unknown = make(1, 4, "unheard_of", UNIT);
	CHECK(!viewer_may(&viewer, risk));
	grants[1] = grant(UNIT, KIND_RISK);
	CHECK(viewer_may(&viewer, risk));
	grants[1] = grant(ROOT, KIND_RISK);
	CHECK(viewer_may(&viewer, risk));
	CHECK(!viewer_may(&viewer, orphan));
	CHECK(!viewer_may(&viewer, control));
	viewer.anywhere = notice_kind_bit(KIND_CONTROL);
	CHECK(viewer_may(&viewer, control));
	CHECK(!viewer_may(&viewer, unknown));
	notice_free(risk);
	notice_free(orphan);
	notice_free(control);
	notice_free(unknown);
}

TEST(rights_count_for_a_while_only)
{
	struct viewer viewer = { .fresh_until = 1000 };
	CHECK(viewer_fresh(&viewer, 999));
	CHECK(viewer.wanted);
	CHECK(!viewer_fresh(&viewer, 1000));
	viewer.state = VIEWER_ENDED;
	CHECK(!viewer_fresh(&viewer, 1));
}

TAP_MAIN
