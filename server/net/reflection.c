/* Reflection protocol, see reflection.h. Each request is answered in turn, out of
 * a piece of the call's arena that is given back at once, so that a stream may
 * ask for ever. A file is sent alone; clients ask for what it imports by name. */
#include "server/net/reflection.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/scan.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/net/call.h"
#include "server/net/descriptors.h"
#include "server/net/worker.h"

#define V1(name)       Grpc__Reflection__V1__##name
#define ASKED(name)    GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##name
#define ANSWERED(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##name

enum { SERVICES_MAX = 64 };

struct services {
	struct arena *arena;
	V1(ServiceResponse) * *list;
	size_t n;
};

static bool add_service(void *arg, const char *name)
{
	struct services *services = arg;
	V1(ServiceResponse) *service = arena_new_of(services->arena, V1(ServiceResponse));
	if (service == NULL || services->n == SERVICES_MAX) {
		return false;
	}
	grpc__reflection__v1__service_response__init(service);
	service->name = arena_strdup(services->arena, name);
	services->list[services->n++] = service;
	return service->name != NULL;
}

static bool answer_services(V1(ServerReflectionResponse) * out, struct call *call)
{
	struct services services = { .arena = call->arena };
	V1(ListServiceResponse) *list = arena_new_of(call->arena, V1(ListServiceResponse));
	services.list = arena_alloc(call->arena, SERVICES_MAX * sizeof(*services.list));
	if (list == NULL || services.list == NULL ||
	    !descriptors_services(call->worker, add_service, &services)) {
		return false;
	}
	grpc__reflection__v1__list_service_response__init(list);
	list->service = services.list;
	list->n_service = services.n;
	out->message_response_case = ANSWERED(LIST_SERVICES_RESPONSE);
	out->list_services_response = list;
	return true;
}

static bool answer_file(V1(ServerReflectionResponse) * out, struct descriptors_span file,
			struct arena *arena)
{
	V1(FileDescriptorResponse) *files = arena_new_of(arena, V1(FileDescriptorResponse));
	ProtobufCBinaryData *data = arena_new_of(arena, ProtobufCBinaryData);
	if (files == NULL || data == NULL) {
		return false;
	}
	grpc__reflection__v1__file_descriptor_response__init(files);
	data->data = (uint8_t *)(uintptr_t)file.data; /* only read, by packing */
	data->len = file.len;
	files->file_descriptor_proto = data;
	files->n_file_descriptor_proto = 1;
	out->message_response_case = ANSWERED(FILE_DESCRIPTOR_RESPONSE);
	out->file_descriptor_response = files;
	return true;
}

static bool answer_error(V1(ServerReflectionResponse) * out, enum status_code code,
			 const char *message, struct arena *arena)
{
	V1(ErrorResponse) *error = arena_new_of(arena, V1(ErrorResponse));
	if (error == NULL) {
		return false;
	}
	grpc__reflection__v1__error_response__init(error);
	error->error_code = (int32_t)code;
	error->error_message = arena_strdup(arena, message);
	out->message_response_case = ANSWERED(ERROR_RESPONSE);
	out->error_response = error;
	return error->error_message != NULL;
}

static bool answer(V1(ServerReflectionResponse) * out, const V1(ServerReflectionRequest) * request,
		   struct call *call)
{
	struct descriptors_span file;
	switch (request->message_request_case) {
	case ASKED(LIST_SERVICES):
		return answer_services(out, call);
	case ASKED(FILE_BY_FILENAME):
		if (descriptors_file(&file, request->file_by_filename)) {
			return answer_file(out, file, call->arena);
		}
		return answer_error(out, STATUS_CODE_NOT_FOUND, "there is no such file",
				    call->arena);
	case ASKED(FILE_CONTAINING_SYMBOL):
		if (descriptors_symbol(&file, request->file_containing_symbol)) {
			return answer_file(out, file, call->arena);
		}
		return answer_error(out, STATUS_CODE_NOT_FOUND, "there is no such symbol",
				    call->arena);
	case ASKED(FILE_CONTAINING_EXTENSION):
	case ASKED(ALL_EXTENSION_NUMBERS_OF_TYPE):
		return answer_error(out, STATUS_CODE_UNIMPLEMENTED,
				    "extensions cannot be looked up", call->arena);
	default:
		return answer_error(out, STATUS_CODE_INVALID_ARGUMENT,
				    "the request asks for nothing", call->arena);
	}
}

static void finish(struct call *call, struct status st)
{
	call_finish(call, &st);
}

static void take_request(struct call *call, const uint8_t *data, size_t len)
{
	const ProtobufCMessageDescriptor *type =
		&grpc__reflection__v1__server_reflection_request__descriptor;
	struct status st = scan_message(type, data, len, &scan_limits_default, call->arena);
	if (!status_ok(&st)) {
		finish(call, st);
		return;
	}
	struct arena_mark mark = arena_mark(call->arena);
	V1(ServerReflectionResponse) response;
	size_t reply_len = 0;
	ProtobufCMessage *request = pb_unpack(type, data, len, call->arena);
	uint8_t *reply = NULL;
	grpc__reflection__v1__server_reflection_response__init(&response);
	if (request != NULL) {
		response.original_request = (V1(ServerReflectionRequest) *)(void *)request;
		response.valid_host = response.original_request->host;
		if (answer(&response, response.original_request, call)) {
			reply = pb_pack(&reply_len, &response.base, call->arena);
		}
	}
	if (reply == NULL) {
		finish(call, status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
					 "the request needs too much memory"));
		return;
	}
	if (call_send(call, reply, reply_len)) {
		arena_reset(call->arena, mark);
	}
}

static void end(struct call *call)
{
	finish(call, STATUS_OK);
}

static const struct route routes[] = {
	{ .path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
	  .streaming = true,
	  .many = true,
	  .message = take_request,
	  .end = end },
	{ .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
	  .streaming = true,
	  .many = true,
	  .message = take_request,
	  .end = end },
};

const struct route *reflection_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, path) == 0) {
			return &routes[i];
		}
	}
	return NULL;
}
