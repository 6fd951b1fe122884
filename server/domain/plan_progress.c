/* An action is moved by whoever is to do it, without any right but that; the first
 * move starts the plan. A date is put off only with a reason, and that is counted. */
#include "server/domain/plan_progress.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/scope.pb-c.h"
#include "server/domain/fields.h"
#include "server/domain/must.h"
#include "server/domain/states.h"
#include "server/domain/text.h"
#include "server/domain/treatment_plan.h"

#define ACTION(name) ISMS__V1__ACTION_STATE__ACTION_STATE_##name

struct status plan_progress_check_lapse(const Isms__V1__TreatmentPlan *plan, int64_t now_us)
{
	if (plan->option != OPTION(TRANSFER) || pb_time_us(plan->lapses_at) > now_us)
		return STATUS_OK;
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "TRANSFER_LAPSED",
			   "the transfer has lapsed");
}

static const Isms__V1__TreatmentPlan *loaded(const struct facts *facts)
{
	return fact_row(facts, "treatment_plan_for_write", Isms__V1__TreatmentPlan,
			isms__v1__treatment_plan);
}

static Isms__V1__PlanProgress *begun(const Isms__V1__PlanFields *content, struct plan *plan)
{
	struct arena *arena = plan->arena;
	Isms__V1__PlanProgress *progress =
		must_new_of(arena, Isms__V1__PlanProgress, isms__v1__plan_progress);
	progress->started_at = must(pb_time_new(arena, plan->now_us));
	progress->started_by = must(arena_strdup(arena, plan->actor_id));
	progress->n_actions = content->n_actions;
	progress->actions =
		must(arena_array(arena, Isms__V1__ActionProgress *, content->n_actions + 1));
	for (size_t i = 0; i < content->n_actions; i++) {
		Isms__V1__ActionProgress *action =
			must_new_of(arena, Isms__V1__ActionProgress, isms__v1__action_progress);
		action->action_no = (int32_t)i + 1;
		action->state = ISMS__V1__ACTION_STATE__ACTION_STATE_TODO;
		action->due_at = content->actions[i]->due_at;
		action->first_due_at = content->actions[i]->due_at;
		progress->actions[i] = action;
	}
	return progress;
}

/* The progress to be changed: begun, or a copy of its own. */
static Isms__V1__PlanProgress *own_progress(Isms__V1__TreatmentPlan *after, struct plan *plan)
{
	if (after->progress == NULL)
		after->progress = begun(after->content, plan);
	else
		after->progress = (Isms__V1__PlanProgress *)(void *)must(
			pb_copy(&after->progress->base, plan->arena));
	return after->progress;
}

struct status plan_progress_start(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__TreatmentPlan *before = loaded(facts);
	const char *caller = facts->principal->user_id;
	struct status st = STATUS_OK;
	if (!fields_has(before->assignee_ids, before->n_assignee_ids, caller))
		st = treatment_plan_check_may(facts, "plan.write");
	if (status_ok(&st))
		st = treatment_plan_check_option(before);
	if (!status_ok(&st))
		return st;
	Isms__V1__PlanState state = state_plan_after(before->state, STATE_START);
	if (state == PLAN(UNSPECIFIED))
		return treatment_plan_illegal();
	st = plan_progress_check_lapse(before, facts->now_us);
	if (!status_ok(&st))
		return st;
	Isms__V1__TreatmentPlan *after = plan_copy_of(plan, Isms__V1__TreatmentPlan, before);
	after->state = state;
	own_progress(after, plan);
	plan_update(plan, KIND_TREATMENT_PLAN, &before->base, &after->base);

	Isms__V1__StartPlanResponse *reply = must_new_of(plan->arena, Isms__V1__StartPlanResponse,
							 isms__v1__start_plan_response);
	reply->plan = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* How the action stands that the request names, as kept or as approved; NULL: there
 * is no such action. */
static const Google__Protobuf__Timestamp *due_of(const Isms__V1__TreatmentPlan *plan, int32_t no)
{
	if (no < 1 || (size_t)no > plan->content->n_actions)
		return NULL;
	if (plan->progress != NULL)
		return plan->progress->actions[no - 1]->due_at;
	return plan->content->actions[no - 1]->due_at;
}

static bool is_put_off(const Isms__V1__UpdateActionRequest *request,
		       const Google__Protobuf__Timestamp *due)
{
	return request->due_at != NULL && pb_time_us(request->due_at) > pb_time_us(due);
}

static struct status check_action(const Isms__V1__UpdateActionRequest *request,
				  const Isms__V1__TreatmentPlan *plan, struct arena *arena)
{
	const Google__Protobuf__Timestamp *due = due_of(plan, request->action_no);
	bool needs_note = request->state == ACTION(BLOCKED) || request->state == ACTION(DROPPED);
	if (due == NULL)
		return status_invalid(arena, "action_no", "names no action of the plan");
	if (request->due_at != NULL && !pb_time_valid(request->due_at))
		return status_invalid(arena, "due_at", "is not a time");
	if (is_put_off(request, due) && text_blank(request->slip_reason))
		return status_invalid(arena, "slip_reason", "is required for a later due date");
	if (needs_note && text_blank(request->note))
		return status_invalid(arena, "note", "is required for BLOCKED and DROPPED");
	return STATUS_OK;
}

static void move_action(Isms__V1__ActionProgress *action,
			const Isms__V1__UpdateActionRequest *request, const struct facts *facts,
			struct plan *plan)
{
	const Isms__Store__V1__Principal *principal = facts->principal;
	bool newly_done = request->state == ACTION(DONE) && action->state != ACTION(DONE);
	if (is_put_off(request, action->due_at)) {
		action->slips++;
		action->slip_reason = request->slip_reason;
	}
	if (request->due_at != NULL)
		action->due_at = request->due_at;
	if (request->note[0] != '\0')
		action->note = request->note;
	if (request->evidence != NULL)
		action->evidence = request->evidence;
	action->state = request->state;
	if (newly_done) {
		action->done_at = must(pb_time_new(plan->arena, plan->now_us));
		action->done_by = principal->user_id;
		action->done_by_persons = principal->person_ids;
		action->n_done_by_persons = principal->n_person_ids;
	} else if (action->state != ACTION(DONE)) {
		action->done_at = NULL;
		action->done_by = (char *)"";
		action->n_done_by_persons = 0;
	}
}

static struct status check_mover(const struct facts *facts, const Isms__V1__TreatmentPlan *plan,
				 int32_t no)
{
	if (no >= 1 && (size_t)no <= plan->content->n_actions &&
	    strcmp(plan->content->actions[no - 1]->assignee_id, facts->principal->user_id) == 0)
		return STATUS_OK;
	return treatment_plan_check_may(facts, "plan.write");
}

struct status plan_progress_update_action(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__UpdateActionRequest *request = (const void *)facts->request;
	const Isms__V1__TreatmentPlan *before = loaded(facts);
	struct status st = check_mover(facts, before, request->action_no);
	if (status_ok(&st))
		st = treatment_plan_check_option(before);
	if (!status_ok(&st))
		return st;
	Isms__V1__PlanState state = state_plan_after(before->state, STATE_PROGRESS);
	if (state == PLAN(UNSPECIFIED))
		return treatment_plan_illegal();
	st = check_action(request, before, plan->arena);
	if (!status_ok(&st))
		return st;
	Isms__V1__TreatmentPlan *after = plan_copy_of(plan, Isms__V1__TreatmentPlan, before);
	after->state = state;
	move_action(own_progress(after, plan)->actions[request->action_no - 1], request, facts,
		    plan);
	plan_update(plan, KIND_TREATMENT_PLAN, &before->base, &after->base);

	Isms__V1__UpdateActionResponse *reply = must_new_of(
		plan->arena, Isms__V1__UpdateActionResponse, isms__v1__update_action_response);
	reply->plan = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}

/* MITIGATE: nothing is left to do, and something was done. */
static struct status check_actions(const Isms__V1__TreatmentPlan *plan)
{
	bool any = false, open = plan->progress == NULL;
	for (size_t i = 0; !open && i < plan->progress->n_actions; i++) {
		any |= plan->progress->actions[i]->state == ACTION(DONE);
		open |= plan->progress->actions[i]->state != ACTION(DONE) &&
			plan->progress->actions[i]->state != ACTION(DROPPED);
	}
	if (any && !open)
		return STATUS_OK;
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "ACTIONS_OPEN",
			   "each action must be done or dropped, and one be done");
}

/* AVOID: the system has left DEPLOYED; a feature may be disabled while it is. */
static struct status check_system(const struct facts *facts, const Isms__V1__TreatmentPlan *plan)
{
	const Isms__V1__AiSystem *system =
		fact_row(facts, "plan_system_for_write", Isms__V1__AiSystem, isms__v1__ai_system);
	bool feature = plan->content->avoid->action ==
		       ISMS__V1__AVOID_ACTION__AVOID_ACTION_DISABLE_FEATURE;
	if (feature || system == NULL ||
	    system->stage != ISMS__V1__AI_SYSTEM_STAGE__AI_SYSTEM_STAGE_DEPLOYED)
		return STATUS_OK;
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "SYSTEM_DEPLOYED",
			   "the system that is not to be deployed still is");
}

static struct status check_done(const struct facts *facts, const Isms__V1__TreatmentPlan *plan,
				const Isms__V1__Evidence *evidence)
{
	if (plan->option == OPTION(MITIGATE))
		return check_actions(plan);
	if (evidence == NULL)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "EVIDENCE_NEEDED",
				   "the plan is done only with evidence");
	struct status st = plan_progress_check_lapse(plan, facts->now_us);
	if (status_ok(&st) && plan->option == OPTION(AVOID))
		st = check_system(facts, plan);
	return st;
}

struct status plan_progress_implement(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__ImplementPlanRequest *request = (const void *)facts->request;
	struct dossier *dossier;
	struct dossier_plan *place;
	struct status st = treatment_plan_open(&dossier, &place, facts, plan, request->id);
	if (!status_ok(&st))
		return st;
	Isms__V1__PlanState state = state_plan_after(place->was->state, STATE_IMPLEMENT);
	if (state == PLAN(UNSPECIFIED))
		return treatment_plan_illegal();
	st = check_done(facts, place->was, request->evidence);
	if (!status_ok(&st))
		return st;
	Isms__V1__TreatmentPlan *after = dossier_change_plan(dossier, place);
	Isms__V1__PlanProgress *progress = own_progress(after, plan);
	after->state = state;
	progress->implemented_at = must(pb_time_new(plan->arena, plan->now_us));
	progress->implemented_by = facts->principal->user_id;
	progress->implemented_by_persons = facts->principal->person_ids;
	progress->n_implemented_by_persons = facts->principal->n_person_ids;
	progress->evidence = request->evidence;
	progress->note = request->note;
	dossier_derive_state(dossier);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);

	Isms__V1__ImplementPlanResponse *reply = must_new_of(
		plan->arena, Isms__V1__ImplementPlanResponse, isms__v1__implement_plan_response);
	reply->plan = after;
	plan_reply(plan, &reply->base);
	return STATUS_OK;
}
