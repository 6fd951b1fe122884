/* A section a machine, a row a move; nothing is said here that the tables do not say. */
#include "server/domain/workflow.h"

#include <string.h>

#include "common/pb.h"
#include "server/domain/states.h"

static const char head[] =
	"# Workflow\n"
	"\n"
	"Printed by `ismsd --print-workflow` from the tables that the server decides by. What is\n"
	"not in them cannot happen: the method is refused with FAILED_PRECONDITION. Where a\n"
	"method is named, its caller makes the move; *vote* is the last vote on the request\n"
	"about it, *clock* the server itself when a time has come, *change* a material change\n"
	"of what was decided on. A permission with `.own` suffices for the owner of the risk.\n"
	"One vote rejects, or requests changes; where the steps of a policy let a rejection be\n"
	"outvoted, that vote is *cast*, and rejects when too few are left who may approve.\n";

static const char mirror[] =
	"\n"
	"## Plan behind an acceptance\n"
	"\n"
	"A plan to accept has no moves of its own: it follows its acceptance.\n"
	"\n"
	"| Acceptance | Plan |\n"
	"| --- | --- |\n";

static const char *state_name(const struct state_machine *machine, int state)
{
	return state == 0 ? "-" : pb_enum_short(machine->states, state);
}

static void print_machine(FILE *out, const struct state_machine *machine)
{
	(void)fprintf(out, "\n## %s\n\n| From | Action | By | Permission | To |\n", machine->title);
	(void)fprintf(out, "| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < machine->n_rows; i++) {
		const struct state_row *row = &machine->rows[i];
		(void)fprintf(out, "| %s | %s | %s | %s | %s |\n", state_name(machine, row->from),
			      state_action_name(row->action), row->by,
			      row->permission[0] == '\0' ? "-" : row->permission,
			      state_name(machine, row->to));
	}
}

void workflow_print(FILE *out)
{
	const ProtobufCEnumDescriptor *acceptances = &isms__v1__acceptance_state__descriptor;
	(void)fputs(head, out);
	for (int id = 0; id < STATE_MACHINES; id++)
		print_machine(out, state_machine((enum state_machine_id)id));
	(void)fputs(mirror, out);
	for (unsigned i = 1; i < acceptances->n_values; i++) {
		int state = acceptances->values[i].value;
		Isms__V1__PlanState plan = state_of_accept_plan((Isms__V1__AcceptanceState)state);
		(void)fprintf(out, "| %s | %s |\n", pb_enum_short(acceptances, state),
			      pb_enum_short(&isms__v1__plan_state__descriptor, (int)plan));
	}
}
