/* A draft may be incomplete, but never hold what does not belong to its option;
 * what is submitted is whole. */
#include "server/domain/plan_content.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/fields.h"
#include "server/domain/money.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/score.h"
#include "server/domain/states.h"
#include "server/domain/text.h"

#define AVOID_ACTION(name) ISMS__V1__AVOID_ACTION__AVOID_ACTION_##name

static bool time_wrong(const Google__Protobuf__Timestamp *time)
{
	return time != NULL && !pb_time_valid(time);
}

static struct status check_times(const Isms__V1__PlanFields *content, struct arena *arena)
{
	const Isms__V1__TreatmentTransfer *transfer = content->transfer;
	if (time_wrong(content->due_at))
		return status_invalid(arena, "fields.due_at", "is not a time");
	if (transfer != NULL && time_wrong(transfer->valid_until))
		return status_invalid(arena, "fields.transfer.valid_until", "is not a time");
	if (transfer != NULL && time_wrong(transfer->valid_from))
		return status_invalid(arena, "fields.transfer.valid_from", "is not a time");
	if (transfer != NULL && transfer->valid_from != NULL && transfer->valid_until != NULL &&
	    pb_time_us(transfer->valid_from) >= pb_time_us(transfer->valid_until))
		return status_invalid(arena, "fields.transfer.valid_from",
				      "must lie before valid_until");
	if (content->avoid != NULL && time_wrong(content->avoid->effective_at))
		return status_invalid(arena, "fields.avoid.effective_at", "is not a time");
	for (size_t i = 0; i < content->n_actions; i++)
		if (time_wrong(content->actions[i]->due_at))
			return status_invalid(arena, "fields.actions.due_at", "is not a time");
	return STATUS_OK;
}

/* Amounts that share a currency. */
struct money {
	const char *amounts[2], *fields[2];
	const char *currency, *currency_field;
};

static struct money cost_of(const Isms__V1__PlanFields *content)
{
	return (struct money){ .amounts = { content->cost, "" },
			       .fields = { "cost", "" },
			       .currency = content->cost_currency,
			       .currency_field = "cost_currency" };
}

static struct money cover_of(const Isms__V1__TreatmentTransfer *transfer)
{
	return (struct money){ .amounts = { transfer->coverage_amount, transfer->deductible },
			       .fields = { "transfer.coverage_amount", "transfer.deductible" },
			       .currency = transfer->currency,
			       .currency_field = "transfer.currency" };
}

static struct status check_money(const struct money *money, struct arena *arena)
{
	for (size_t i = 0; i < 2; i++)
		if (money->amounts[i][0] != '\0' && !money_amount_valid(money->amounts[i]))
			return status_invalid(
				arena, must(arena_printf(arena, "fields.%s", money->fields[i])),
				"must be a decimal number such as 1500000.00");
	if (money->currency[0] != '\0' && !money_currency_valid(money->currency))
		return status_invalid(arena,
				      must(arena_printf(arena, "fields.%s", money->currency_field)),
				      "must be a code such as EUR");
	return STATUS_OK;
}

static struct status check_parts(const Isms__V1__PlanFields *content,
				 Isms__V1__TreatmentOption option, struct arena *arena)
{
	if (content->n_actions > 0 && option != OPTION(MITIGATE))
		return status_invalid(arena, "fields.actions", "is for MITIGATE plans only");
	if (content->transfer != NULL && option != OPTION(TRANSFER))
		return status_invalid(arena, "fields.transfer", "is for TRANSFER plans only");
	if (content->avoid != NULL && option != OPTION(AVOID))
		return status_invalid(arena, "fields.avoid", "is for AVOID plans only");
	struct money cost = cost_of(content);
	struct status st = check_times(content, arena);
	if (status_ok(&st))
		st = check_money(&cost, arena);
	if (!status_ok(&st) || content->transfer == NULL)
		return st;
	struct money cover = cover_of(content->transfer);
	return check_money(&cover, arena);
}

struct status plan_content_check(Isms__V1__PlanFields *content, Isms__V1__TreatmentOption option,
				 const Isms__V1__RiskMethod *method, struct arena *arena)
{
	struct status st = check_parts(content, option, arena);
	if (!status_ok(&st) || content->target == NULL)
		return st;
	if (content->target->likelihood == 0 && content->target->impact == 0) {
		content->target = NULL;
		return STATUS_OK;
	}
	if (method == NULL || !score_criteria_valid(method->criteria))
		return refusal_no_method();
	return score_make(&content->target, method->criteria, content->target->likelihood,
			  content->target->impact, "fields.target.", arena);
}

static Google__Protobuf__Timestamp *due_of(const Isms__V1__PlanFields *content)
{
	Google__Protobuf__Timestamp *due = content->due_at;
	if (due != NULL)
		return due;
	for (size_t i = 0; i < content->n_actions; i++) {
		Google__Protobuf__Timestamp *action = content->actions[i]->due_at;
		if (action != NULL && (due == NULL || pb_time_us(action) > pb_time_us(due)))
			due = action;
	}
	return due;
}

void plan_content_index(Isms__V1__TreatmentPlan *plan, struct arena *arena)
{
	const Isms__V1__PlanFields *content = plan->content;
	plan->ai_system_id = must(
		arena_strdup(arena, content->avoid == NULL ? "" : content->avoid->ai_system_id));
	plan->avoid_action =
		content->avoid == NULL ? AVOID_ACTION(UNSPECIFIED) : content->avoid->action;
	plan->lapses_at = content->transfer == NULL ? NULL : content->transfer->valid_until;
	plan->counts_from = content->transfer != NULL ? content->transfer->valid_from
			    : content->avoid != NULL  ? content->avoid->effective_at
						      : NULL;
	plan->due_at = due_of(content);
	plan->control_ids = NULL;
	plan->n_control_ids = 0;
	plan->assignee_ids = NULL;
	plan->n_assignee_ids = 0;
	for (size_t i = 0; i < content->n_actions; i++) {
		fields_add(&plan->control_ids, &plan->n_control_ids,
			   content->actions[i]->control_id, arena);
		fields_add(&plan->assignee_ids, &plan->n_assignee_ids,
			   content->actions[i]->assignee_id, arena);
	}
}

static void missing(struct status *st, struct arena *arena, const char *field, const char *what)
{
	if (status_ok(st))
		*st = status_make(STATUS_CODE_FAILED_PRECONDITION, "PLAN_INCOMPLETE",
				  "the plan lacks what its option needs");
	status_add_violation(st, arena, field, what);
}

static void need_currency(struct status *st, const struct money *money, struct arena *arena)
{
	if ((money->amounts[0][0] != '\0' || money->amounts[1][0] != '\0') &&
	    money->currency[0] == '\0')
		missing(st, arena, must(arena_printf(arena, "content.%s", money->currency_field)),
			"is required with an amount");
}

/* Somebody who can do it and be asked for it. */
static void check_assignees(struct status *st, const struct facts *facts,
			    const Isms__V1__TreatmentPlan *plan)
{
	struct status found = fields_found(facts, "plan_assignees", "", NULL, 0, plan->assignee_ids,
					   plan->n_assignee_ids);
	if (!status_ok(&found))
		missing(st, facts->arena, "content.actions.assignee_id",
			"must be an active account of a human being");
}

static void check_mitigate(struct status *st, const struct facts *facts,
			   const Isms__V1__TreatmentPlan *plan, const Isms__V1__Risk *risk)
{
	const Isms__V1__PlanFields *content = plan->content;
	struct arena *arena = facts->arena;
	if (content->n_actions == 0)
		missing(st, arena, "content.actions", "needs at least one action on a control");
	if (score_level_of(content->target) == LEVEL(UNSPECIFIED))
		missing(st, arena, "content.target", "is required");
	else if (content->target->level >= score_level_of(risk->current))
		missing(st, arena, "content.target", "must have a level below the current one");
	check_assignees(st, facts, plan);
}

static void check_transfer(struct status *st, const Isms__V1__PlanFields *content, int64_t now_us,
			   struct arena *arena)
{
	const Isms__V1__TreatmentTransfer *transfer = content->transfer;
	if (transfer == NULL) {
		missing(st, arena, "content.transfer", "is required");
		return;
	}
	struct money cover = cover_of(transfer);
	need_currency(st, &cover, arena);
	if (transfer->valid_until == NULL || pb_time_us(transfer->valid_until) <= now_us)
		missing(st, arena, "content.transfer.valid_until", "must lie ahead");
}

static bool is_loaded(const struct facts *facts, const char *set)
{
	return fact_row(facts, set, Isms__Store__V1__Found, isms__store__v1__found) != NULL;
}

/* What is seen must also be the risk's, by itself or by where it is. */
static void check_avoid(struct status *st, const struct facts *facts,
			const Isms__V1__PlanFields *content, const Isms__V1__Risk *risk)
{
	const Isms__V1__TreatmentAvoid *avoid = content->avoid;
	if (avoid == NULL)
		missing(st, facts->arena, "content.avoid", "is required");
	else if (!is_loaded(facts, "plan_system"))
		missing(st, facts->arena, "content.avoid.ai_system_id",
			"names something that does not exist or may not be seen");
	else if (strcmp(avoid->ai_system_id, risk->ai_system_id) != 0 &&
		 !is_loaded(facts, "plan_system_below"))
		missing(st, facts->arena, "content.avoid.ai_system_id",
			"must be the system of the risk, or in its scope or below");
}

struct status plan_content_complete(const struct facts *facts, const Isms__V1__TreatmentPlan *plan,
				    const Isms__V1__Risk *risk)
{
	const Isms__V1__PlanFields *content = plan->content;
	struct money cost = cost_of(content);
	struct status st = STATUS_OK;
	need_currency(&st, &cost, facts->arena);
	if (text_blank(content->rationale))
		missing(&st, facts->arena, "content.rationale", "is required");
	if (plan->option == OPTION(MITIGATE))
		check_mitigate(&st, facts, plan, risk);
	if (plan->option == OPTION(TRANSFER))
		check_transfer(&st, content, facts->now_us, facts->arena);
	if (plan->option == OPTION(AVOID))
		check_avoid(&st, facts, content, risk);
	return st;
}

bool plan_content_counts(const Isms__V1__TreatmentPlan *plan, int64_t now_us)
{
	if (plan->counts_from != NULL && pb_time_us(plan->counts_from) > now_us)
		return false;
	return plan->option != OPTION(TRANSFER) || pb_time_us(plan->lapses_at) > now_us;
}

bool plan_content_forbids_deployment(const Isms__V1__TreatmentPlan *plan, int64_t now_us)
{
	return state_plan_in_force(plan->state) && plan_content_counts(plan, now_us) &&
	       plan->avoid_action != AVOID_ACTION(DISABLE_FEATURE);
}
