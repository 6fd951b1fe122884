/* Which notices a filter lets through by their topic. */
#include <stdio.h>
#include <stdlib.h>

#include "common/arena.h"
#include "isms/store/v1/watch.pb-c.h"
#include "isms/v1/watch.pb-c.h"
#include "server/watch/filter.h"
#include "server/watch/notice.h"
#include "tests/unit/tap.h"

#define ORG "11111111-1111-7111-8111-111111111111"

static bool passes(char **topics, size_t n, const char *topic)
{
	Isms__Store__V1__WatchRow row = ISMS__STORE__V1__WATCH_ROW__INIT;
	Isms__V1__WatchRequest request = ISMS__V1__WATCH_REQUEST__INIT;
	struct arena *arena = arena_new(1 << 16);
	struct filter filter;
	row.org_id = (char *)ORG;
	row.topic = (char *)topic;
	row.entity_kind = (char *)"risk";
	request.topics = topics;
	request.n_topics = n;
	struct status st = filter_init(&filter, ORG, &request, arena);
	CHECK(status_ok(&st));
	struct notice *notice = notice_new(&row);
	CHECK(notice->topic_number == notice_topic_number(topic));
	bool found = filter_passes(&filter, notice);
	notice_free(notice);
	arena_free(arena);
	return found;
}

TEST(topics_are_told_apart_exactly)
{
	char *topics[] = { (char *)"RiskService/UpdateRisk", (char *)"RiskService/CreateRisk" };
	CHECK(passes(NULL, 0, "RiskService/ScoreRisk"));
	CHECK(passes(topics, 2, "RiskService/UpdateRisk"));
	CHECK(passes(topics, 2, "RiskService/CreateRisk"));
	CHECK(!passes(topics, 2, "RiskService/CreateRisks"));
	CHECK(!passes(topics, 2, "RiskService/ScoreRisk"));
	CHECK(!passes(topics, 2, ""));
	CHECK(notice_topic_number("RiskService/UpdateRisk") !=
	      notice_topic_number("RiskService/CreateRisk"));
}

TAP_MAIN
