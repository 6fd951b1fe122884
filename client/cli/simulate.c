/* What a change of policies would do, as people read it. */
#include "client/cli/app.h"
#include "client/cli/command.h"
#include "client/cli/hooks.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "isms/v1/policy.pb-c.h"

static void say(const char *text)
{
	text_print(stdout, text, TEXT_LINE);
	(void)fputc('\n', stdout);
}

static const char *problem_text(struct app *app, const char *problem, int step)
{
	return step > 0 ? app_printf(app, "%s on step %d", problem, step) : problem;
}

static void print_effect(struct app *app, const Isms__V1__SimulatedEffect *effect)
{
	const ProtobufCMessage *row = &effect->base;
	say(app_printf(app, "%s about %s, %s", effect->request_ref, effect->subject_ref,
		       value_at(app, row, "level", false)));
	say(app_printf(app, "  now      %s", value_at(app, row, "steps_now", false)));
	say(app_printf(app, "  then     %s", value_at(app, row, "steps_then", false)));
	if (effect->n_added)
		say(app_printf(app, "  asked    + %s", value_at(app, row, "added", false)));
	if (effect->n_removed)
		say(app_printf(app, "  not      - %s", value_at(app, row, "removed", false)));
	if (*effect->problem)
		say(app_printf(app, "  problem  %s",
			       problem_text(app, effect->problem, effect->problem_step)));
}

int simulate_print(struct app *app, const struct command *command, const ProtobufCMessage *message)
{
	const Isms__V1__SimulatePolicyResponse *reply = (const void *)message;
	(void)command;
	say(app_printf(app, "%d open requests looked at%s: %zu would be decided otherwise%s",
		       reply->looked_at, reply->cut ? ", and there are more" : "",
		       reply->n_effects + (size_t)reply->hidden,
		       reply->hidden
			       ? app_printf(app, ", %d of them not shown to you", reply->hidden)
			       : ""));
	for (size_t i = 0; i < reply->n_effects; i++)
		print_effect(app, reply->effects[i]);
	for (size_t i = 0; i < reply->n_people; i++) {
		const Isms__V1__SimulatedPerson *person = reply->people[i];
		say(app_printf(app, "%s: asked on %d more and %d fewer", person->display_name,
			       person->added, person->removed));
	}
	for (size_t i = 0; i < reply->n_levels; i++) {
		const Isms__V1__SimulatedLevel *level = reply->levels[i];
		const char *name =
			level->level ? value_level((int)level->level) : "a change of policies";
		if (*level->problem)
			say(app_printf(app, "nobody could approve %s: %s", name,
				       problem_text(app, level->problem, level->problem_step)));
	}
	return CLI_DONE;
}
