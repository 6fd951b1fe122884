/* A risk is made of what the request says and what its references name; scores
 * come from the method alone. What makes earlier decisions void is judged here
 * and done by material_change. */
#include "server/domain/risk.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/dossier.h"
#include "server/domain/fields.h"
#include "server/domain/material_change.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/score.h"
#include "server/domain/states.h"
#include "server/domain/text.h"

static struct status check_texts(const Isms__V1__Risk *risk, struct arena *arena)
{
	if (text_blank(risk->title))
		return status_invalid(arena, "fields.title", "is required");
	if (risk->owner_id[0] == '\0')
		return status_invalid(arena, "fields.owner_id", "is required");
	return STATUS_OK;
}

/* Whatever the risk refers to that it did not before. */
static struct status check_references(const struct facts *facts, const Isms__V1__Risk *before,
				      Isms__V1__Risk *after)
{
	struct arena *arena = facts->arena;
	fields_unique(&after->asset_ids, &after->n_asset_ids, arena);
	fields_unique(&after->threat_ids, &after->n_threat_ids, arena);
	fields_unique(&after->vulnerability_ids, &after->n_vulnerability_ids, arena);
	struct status st = fields_found(facts, "risk_fields_owner", "fields.owner_id",
					&before->owner_id, 1, &after->owner_id, 1);
	if (status_ok(&st) && after->ai_system_id[0] != '\0')
		st = fields_found(facts, "risk_fields_system", "fields.ai_system_id",
				  &before->ai_system_id, 1, &after->ai_system_id, 1);
	if (status_ok(&st))
		st = fields_found(facts, "risk_fields_assets", "fields.asset_ids",
				  before->asset_ids, before->n_asset_ids, after->asset_ids,
				  after->n_asset_ids);
	if (status_ok(&st))
		st = fields_found(facts, "risk_fields_threats", "fields.threat_ids",
				  before->threat_ids, before->n_threat_ids, after->threat_ids,
				  after->n_threat_ids);
	if (status_ok(&st))
		st = fields_found(facts, "risk_fields_vulnerabilities", "fields.vulnerability_ids",
				  before->vulnerability_ids, before->n_vulnerability_ids,
				  after->vulnerability_ids, after->n_vulnerability_ids);
	return st;
}

static struct status closed(void)
{
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "ILLEGAL_STATE", "the risk is closed");
}

static Isms__V1__Score *no_score(struct arena *arena)
{
	return must_new_of(arena, Isms__V1__Score, isms__v1__score);
}

struct status risk_create(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__CreateRiskRequest *request = (const void *)facts->request;
	const Isms__Store__V1__NextRef *next = fact_row(
		facts, "risk_next_ref", Isms__Store__V1__NextRef, isms__store__v1__next_ref);
	const Isms__V1__Risk *nothing = must_new_of(plan->arena, Isms__V1__Risk, isms__v1__risk);
	Isms__V1__Risk *risk = must_new_of(plan->arena, Isms__V1__Risk, isms__v1__risk);
	pb_copy_same(&risk->base, &request->fields->base);
	struct status st = check_texts(risk, plan->arena);
	if (status_ok(&st))
		st = check_references(facts, nothing, risk);
	if (!status_ok(&st))
		return st;
	risk->meta = must_new_of(plan->arena, Isms__V1__Meta, isms__v1__meta);
	risk->meta->ref = next->ref;
	risk->scope_id = facts->access->scope_id;
	risk->state = RISK(IDENTIFIED);
	risk->disposition = DISPOSITION(UNTREATED);
	risk->inherent = no_score(plan->arena);
	risk->current = no_score(plan->arena);
	risk->target = no_score(plan->arena);
	plan_insert(plan, KIND_RISK, &risk->base);

	Isms__V1__CreateRiskResponse *reply = must_new_of(plan->arena, Isms__V1__CreateRiskResponse,
							  isms__v1__create_risk_response);
	reply->risk = risk;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* What was linked, or taken elsewhere, in words; NULL when nothing was. */
static const char *linked(const Isms__V1__Risk *before, const Isms__V1__Risk *after)
{
	if (fields_grew(before->asset_ids, before->n_asset_ids, after->asset_ids,
			after->n_asset_ids))
		return "an asset was linked to the risk";
	if (fields_grew(before->threat_ids, before->n_threat_ids, after->threat_ids,
			after->n_threat_ids))
		return "a threat was linked to the risk";
	if (fields_grew(before->vulnerability_ids, before->n_vulnerability_ids,
			after->vulnerability_ids, after->n_vulnerability_ids))
		return "a vulnerability was linked to the risk";
	if (strcmp(before->ai_system_id, after->ai_system_id) != 0)
		return "the risk is one of another AI system";
	return NULL;
}

struct status risk_update(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdateRiskRequest *request = (const void *)facts->request;
	const Isms__V1__Risk *risk =
		fact_row(facts, "risk_for_write", Isms__V1__Risk, isms__v1__risk);
	if (risk->state == RISK(CLOSED))
		return closed();
	struct dossier *dossier = must(arena_new_of(plan->arena, struct dossier));
	struct status st = dossier_load(dossier, plan, facts, risk, "risk");
	if (!status_ok(&st))
		return st;
	Isms__V1__Risk *after = dossier_change_risk(dossier);
	st = pb_apply_mask(&after->base, &request->fields->base, request->update_mask->paths,
			   request->update_mask->n_paths, plan->arena);
	if (status_ok(&st))
		st = check_texts(after, plan->arena);
	if (status_ok(&st))
		st = check_references(facts, risk, after);
	if (!status_ok(&st))
		return st;
	const char *what = linked(risk, after);
	if (what != NULL)
		material_change_apply(dossier, what);
	else if (strcmp(risk->owner_id, after->owner_id) != 0)
		material_change_close(dossier, "the risk has another owner");
	dossier_settle(dossier, DOSSIER_CONTENT);

	Isms__V1__UpdateRiskResponse *reply = must_new_of(plan->arena, Isms__V1__UpdateRiskResponse,
							  isms__v1__update_risk_response);
	reply->risk = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

static void put_score(const struct facts *facts, struct plan *plan, const Isms__V1__Risk *risk,
		      Isms__V1__Score *score)
{
	const Isms__V1__ScoreRiskRequest *request = (const void *)facts->request;
	Isms__Store__V1__RiskScore *row =
		must_new_of(plan->arena, Isms__Store__V1__RiskScore, isms__store__v1__risk_score);
	row->id = plan_new_id(plan);
	row->risk_id = risk->meta->id;
	row->kind = (int32_t)request->kind;
	row->score = score;
	row->method_id = risk->method_id;
	row->rationale = request->rationale;
	row->scored_by = facts->principal->user_id;
	row->scored_by_persons = facts->principal->person_ids;
	row->n_scored_by_persons = facts->principal->n_person_ids;
	row->at = must(pb_time_new(plan->arena, plan->now_us));
	plan_put(plan, KIND_RISK_SCORE, &row->base);
}

/* A current level that rises voids what was decided on the lower one. */
static void score_current(struct dossier *dossier, Isms__V1__Score *score)
{
	Isms__V1__Risk *after = dossier_change_risk(dossier);
	Isms__V1__RiskLevel before = score_level_of(dossier->was->current);
	after->current = score;
	if (after->state == RISK(IDENTIFIED))
		after->state = RISK(ANALYSED);
	if (before == LEVEL(UNSPECIFIED) || score->level <= before)
		return;
	material_change_rise(dossier, before, score->level);
}

struct status risk_score(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__ScoreRiskRequest *request = (const void *)facts->request;
	const Isms__V1__Risk *risk =
		fact_row(facts, "risk_for_write", Isms__V1__Risk, isms__v1__risk);
	const Isms__V1__RiskMethod *method =
		fact_row(facts, "method_for_write", Isms__V1__RiskMethod, isms__v1__risk_method);
	if (request->kind != SCORE(INHERENT) && request->kind != SCORE(CURRENT))
		return status_invalid(plan->arena, "kind", "must be INHERENT or CURRENT");
	if (risk->state == RISK(CLOSED))
		return closed();
	if (method == NULL || !score_criteria_valid(method->criteria))
		return refusal_no_method();
	if (text_blank(request->rationale))
		return status_invalid(plan->arena, "rationale", "is required");
	Isms__V1__Score *score;
	struct status st = score_make(&score, method->criteria, request->likelihood,
				      request->impact, "", plan->arena);
	if (!status_ok(&st))
		return st;
	struct dossier *dossier = must(arena_new_of(plan->arena, struct dossier));
	st = dossier_load(dossier, plan, facts, risk, "risk");
	if (!status_ok(&st))
		return st;
	Isms__V1__Risk *after = dossier_change_risk(dossier);
	after->method_id = method->meta->id;
	after->tolerance = method->criteria->tolerance;
	if (request->kind == SCORE(INHERENT))
		after->inherent = score;
	else
		score_current(dossier, score);
	dossier_settle(dossier, DOSSIER_CONTENT);
	put_score(facts, plan, after, score);

	Isms__V1__ScoreRiskResponse *reply = must_new_of(plan->arena, Isms__V1__ScoreRiskResponse,
							 isms__v1__score_risk_response);
	reply->risk = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
