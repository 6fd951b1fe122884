/* Calls to the server: the connection, the token, and failures said in words. */
#ifndef ISMS_CLI_RPC_H
#define ISMS_CLI_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

struct app;
struct isms_api_method;

enum rpc_quiet {
	RPC_SAY,   /* failures are printed */
	RPC_QUIET, /* failures are left to the caller, who may print app->failed */
};

/* Makes the call; *out is the reply's message, borrowed for the whole run. An
 * exit code. A field "mutation" of the request gets request_id,
 * expected_version and dry_run from the flags where it does not say them. */
int rpc_call(struct app *app, const struct isms_api_method *method, ProtobufCMessage *request,
	     const ProtobufCMessage **out, enum rpc_quiet quiet);
/* The same by name ("RiskService/GetRisk"), for a request without a mutation. */
int rpc_call_name(struct app *app, const char *method, ProtobufCMessage *request,
		  const ProtobufCMessage **out, enum rpc_quiet quiet);
/* An empty request of a method by name. */
ProtobufCMessage *rpc_request(struct app *app, const char *method);
/* Reads an object by its id through a method whose request has the field "id". */
int rpc_get(struct app *app, const char *method, const char *id, const ProtobufCMessage **out,
	    enum rpc_quiet quiet);

#endif
