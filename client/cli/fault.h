/* Failures of calls, said in words. */
#ifndef ISMS_CLI_FAULT_H
#define ISMS_CLI_FAULT_H

struct app;
struct isms_api_method;
struct isms_reply;

/* Exit code for a gRPC code and reason. */
int fault_exit(int code, const char *reason);
/* Prints what a failed reply says: what, why, fields, what next. The exit code. */
int fault_print(struct app *app, const struct isms_api_method *method,
		const struct isms_reply *reply);

/* The rule behind a reason in a sentence; NULL when it needs none. */
const char *fault_why(const char *reason);

#endif
