/* Writes isms/api.h and api.c: one typed function for each RPC of a package and
 * a table of them all. Run at build time:
 *
 *     generate_api DESCRIPTORS PACKAGE HEADER SOURCE
 *
 * DESCRIPTORS is a FileDescriptorSet with source info: it has what the service
 * descriptors of protobuf-c leave out, the comments and which RPCs stream. Names
 * of types follow protoc-c; a name that is not one does not compile. */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/protobuf/descriptor.pb-c.h"

typedef Google__Protobuf__FileDescriptorProto File;
typedef Google__Protobuf__ServiceDescriptorProto Service;
typedef Google__Protobuf__MethodDescriptorProto Method;
typedef Google__Protobuf__SourceCodeInfo__Location Location;

enum {
	INPUT_MAX = 8 << 20,
	NAME_MAX_LEN = 256,
	TAG_FILE_SERVICE = 6,   /* FileDescriptorProto.service */
	TAG_SERVICE_METHOD = 2, /* ServiceDescriptorProto.method */
};

/* An RPC with its names in C. */
struct rpc {
	const File *file;
	const Service *service;
	const Method *method;
	char function[NAME_MAX_LEN]; /* isms_risk_get_risk */
	char request[NAME_MAX_LEN];  /* Isms__V1__GetRiskRequest */
	char response[NAME_MAX_LEN];
	char request_type[NAME_MAX_LEN]; /* isms__v1__get_risk_request__descriptor */
	char response_type[NAME_MAX_LEN];
	const char *comment;
};

static _Noreturn void fail(const char *what, const char *name)
{
	fprintf(stderr, "generate_api: %s: %s\n", what, name);
	exit(1);
}

/* --- names ---------------------------------------------------------------- */

static void add(char out[NAME_MAX_LEN], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(char out[NAME_MAX_LEN], const char *format, ...)
{
	size_t len = strlen(out);
	va_list args;
	va_start(args, format);
	int n = vsnprintf(out + len, NAME_MAX_LEN - len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= NAME_MAX_LEN - len) {
		fail("name too long", out);
	}
}

/* "GetRisk" to "get_risk": an underscore where a capital follows a small letter. */
static void add_lower(char out[NAME_MAX_LEN], const char *camel, size_t len)
{
	bool upper_before = true;
	for (size_t i = 0; i < len; i++) {
		bool upper = isupper((unsigned char)camel[i]) != 0;
		add(out, "%s%c", upper && !upper_before ? "_" : "",
		    tolower((unsigned char)camel[i]));
		upper_before = upper;
	}
}

/* ".isms.v1.GetRiskRequest" to the C type and to its descriptor. */
static void type_names(char c_type[NAME_MAX_LEN], char descriptor[NAME_MAX_LEN], const char *type)
{
	const char *part = type + (*type == '.');
	while (*part != '\0') {
		size_t len = strcspn(part, ".");
		add(c_type, "%c%.*s", toupper((unsigned char)part[0]), (int)len - 1, part + 1);
		add_lower(descriptor, part, len);
		part += len;
		if (*part == '.') {
			add(c_type, "__");
			add(descriptor, "__");
			part++;
		}
	}
	add(descriptor, "__descriptor");
}

static const char *comment_of(const File *file, size_t service, size_t method)
{
	const Google__Protobuf__SourceCodeInfo *info = file->source_code_info;
	for (size_t i = 0; info != NULL && i < info->n_location; i++) {
		const Location *at = info->location[i];
		if (at->n_path == 4 && at->path[0] == TAG_FILE_SERVICE &&
		    at->path[1] == (int32_t)service && at->path[2] == TAG_SERVICE_METHOD &&
		    at->path[3] == (int32_t)method && at->leading_comments != NULL) {
			return at->leading_comments;
		}
	}
	return "";
}

static struct rpc rpc_of(const File *file, size_t s, size_t m)
{
	const Service *service = file->service[s];
	const Method *method = service->method[m];
	struct rpc rpc = { .file = file,
			   .service = service,
			   .method = method,
			   .comment = comment_of(file, s, m) };
	size_t len = strlen(service->name);
	const char *suffix = "Service";
	if (len > strlen(suffix) && strcmp(service->name + len - strlen(suffix), suffix) == 0) {
		len -= strlen(suffix);
	}
	add(rpc.function, "isms_");
	add_lower(rpc.function, service->name, len);
	add(rpc.function, "_");
	add_lower(rpc.function, method->name, strlen(method->name));
	type_names(rpc.request, rpc.request_type, method->input_type);
	type_names(rpc.response, rpc.response_type, method->output_type);
	return rpc;
}

/* What its function gives, takes and calls. */
static const char *result_of(const struct rpc *rpc)
{
	return rpc->method->server_streaming ? "isms_watch" : "isms_reply";
}

static const char *options_of(const struct rpc *rpc)
{
	return rpc->method->server_streaming ? "isms_watch_options" : "isms_call_options";
}

static const char *maker_of(const struct rpc *rpc)
{
	return rpc->method->server_streaming ? "isms_watch_open" : "isms_call";
}

/* --- header --------------------------------------------------------------- */

static void write_comment(FILE *out, const struct rpc *rpc)
{
	fprintf(out, "/* %s.%s\n", rpc->service->name, rpc->method->name);
	const char *line = rpc->comment;
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		fprintf(out, " *%.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
		if (strstr(line, "*/") != NULL) {
			fail("comment would end early", rpc->method->name);
		}
	}
	fprintf(out, " */\n");
}

static void write_header_rpc(FILE *out, const struct rpc *rpc)
{
	fprintf(out, "\n");
	write_comment(out, rpc);
	fprintf(out,
		"struct %s *%s(struct isms_client *client,\n"
		"\tconst %s *request,\n"
		"\tconst struct %s *options);\n"
		"const %s *%s_reply(const struct isms_reply *reply);\n",
		result_of(rpc), rpc->function, rpc->request, options_of(rpc), rpc->response,
		rpc->function);
}

static const char header_top[] =
	"/* Generated. The RPCs of the API, typed.\n"
	" *\n"
	" * isms_SERVICE_METHOD() is isms_call() of isms/isms.h with the types filled in:\n"
	" * it waits for the reply, which is yours (isms_reply_free), and is NULL only when\n"
	" * out of memory. isms_SERVICE_METHOD_reply() is the message of such a reply: NULL\n"
	" * unless its code is ISMS_OK, borrowed until isms_reply_free. Where the server sends\n"
	" * a stream of messages it is isms_watch_open() and the message of each reply of\n"
	" * isms_watch_next(). Link with libisms_api and libisms. */\n"
	"#ifndef ISMS_API_H\n"
	"#define ISMS_API_H\n"
	"\n"
	"#include <isms/isms.h>\n"
	"\n";

static const char header_table[] =
	"\n"
	"#ifdef __cplusplus\n"
	"extern \"C\" {\n"
	"#endif\n"
	"\n"
	"/* One RPC, for programs that go by name. */\n"
	"struct isms_api_method {\n"
	"\tconst char *path;    /* \"/isms.v1.RiskService/GetRisk\" */\n"
	"\tconst char *service; /* \"RiskService\" */\n"
	"\tconst char *name;    /* \"GetRisk\" */\n"
	"\tconst struct ProtobufCMessageDescriptor *request;\n"
	"\tconst struct ProtobufCMessageDescriptor *response;\n"
	"\tconst char *text; /* what it does; lines end with LF */\n"
	"\tint streams;      /* 1: for isms_watch_open(); 0: for isms_call() */\n"
	"};\n"
	"/* All of them, in the order of the files and of the services in them; a row of\n"
	" * NULLs follows the last. */\n"
	"extern const struct isms_api_method isms_api_methods[];\n"
	"extern const size_t isms_api_methods_count;\n";

/* --- source --------------------------------------------------------------- */

static void write_source_rpc(FILE *out, const struct rpc *rpc, const char *package)
{
	fprintf(out,
		"\nstruct %s *%s(struct isms_client *client,\n"
		"\tconst %s *request,\n"
		"\tconst struct %s *options)\n"
		"{\n"
		"\treturn %s(client, \"/%s.%s/%s\", &request->base,\n"
		"\t\t&%s, options);\n"
		"}\n",
		result_of(rpc), rpc->function, rpc->request, options_of(rpc), maker_of(rpc),
		package, rpc->service->name, rpc->method->name, rpc->response_type);
	fprintf(out,
		"\nconst %s *%s_reply(const struct isms_reply *reply)\n"
		"{\n"
		"\treturn (const %s *)(const void *)\n"
		"\t\tmessage_of(reply, &%s);\n"
		"}\n",
		rpc->response, rpc->function, rpc->response, rpc->response_type);
}

static void write_text(FILE *out, const char *text)
{
	fprintf(out, "\"");
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '\n') {
			fprintf(out, "\\n");
			c += c[1] == ' ';
		} else if (!(c == text && *c == ' ')) {
			fprintf(out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
		}
	}
	fprintf(out, "\"");
}

static void write_source_row(FILE *out, const struct rpc *rpc, const char *package)
{
	fprintf(out,
		"\t{ \"/%s.%s/%s\", \"%s\", \"%s\",\n"
		"\t  &%s,\n\t  &%s,\n\t  ",
		package, rpc->service->name, rpc->method->name, rpc->service->name,
		rpc->method->name, rpc->request_type, rpc->response_type);
	write_text(out, rpc->comment);
	fprintf(out, ",\n\t  %d },\n", rpc->method->server_streaming);
}

static const char source_top[] =
	"/* Generated, see isms/api.h. */\n"
	"#include \"isms/api.h\"\n"
	"\n"
	"/* The message of a reply, if it is of this type. */\n"
	"static const ProtobufCMessage *message_of(const struct isms_reply *reply,\n"
	"\tconst ProtobufCMessageDescriptor *type)\n"
	"{\n"
	"\tconst ProtobufCMessage *message = isms_reply_message(reply);\n"
	"\treturn message != NULL && message->descriptor == type ? message : NULL;\n"
	"}\n";

/* --- walk ----------------------------------------------------------------- */

typedef void (*rpc_fn)(FILE *out, const struct rpc *rpc, const char *package);

/* Runs fn for each RPC of the package that takes one request; how many there were. */
static size_t each_rpc(const Google__Protobuf__FileDescriptorSet *set, const char *package,
		       FILE *out, rpc_fn fn)
{
	size_t n = 0;
	for (size_t f = 0; f < set->n_file; f++) {
		const File *file = set->file[f];
		if (file->package == NULL || strcmp(file->package, package) != 0) {
			continue;
		}
		for (size_t s = 0; s < file->n_service; s++) {
			for (size_t m = 0; m < file->service[s]->n_method; m++) {
				const Method *method = file->service[s]->method[m];
				if (method->client_streaming) {
					continue;
				}
				struct rpc rpc = rpc_of(file, s, m);
				fn(out, &rpc, package);
				n++;
			}
		}
	}
	return n;
}

static void header_rpc(FILE *out, const struct rpc *rpc, const char *package)
{
	(void)package;
	write_header_rpc(out, rpc);
}

static void write_header(FILE *out, const Google__Protobuf__FileDescriptorSet *set,
			 const char *package)
{
	fputs(header_top, out);
	for (size_t f = 0; f < set->n_file; f++) {
		const File *file = set->file[f];
		if (file->package != NULL && strcmp(file->package, package) == 0) {
			size_t len = strlen(file->name) - strlen(".proto");
			fprintf(out, "#include <%.*s.pb-c.h>\n", (int)len, file->name);
		}
	}
	fputs(header_table, out);
	if (each_rpc(set, package, out, header_rpc) == 0) {
		fail("no RPCs in package", package);
	}
	fputs("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n", out);
}

static void write_source(FILE *out, const Google__Protobuf__FileDescriptorSet *set,
			 const char *package)
{
	fputs(source_top, out);
	each_rpc(set, package, out, write_source_rpc);
	fputs("\nconst struct isms_api_method isms_api_methods[] = {\n", out);
	size_t n = each_rpc(set, package, out, write_source_row);
	fprintf(out, "\t{ 0 },\n};\nconst size_t isms_api_methods_count = %zu;\n", n);
}

static FILE *open_file(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);
	if (file == NULL) {
		fail("cannot open", path);
	}
	return file;
}

static void close_file(FILE *file, const char *path)
{
	if (fclose(file) != 0) {
		fail("cannot write", path);
	}
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fail("usage", "generate_api DESCRIPTORS PACKAGE HEADER SOURCE");
	}
	uint8_t *data = malloc(INPUT_MAX);
	FILE *in = open_file(argv[1], "rb");
	size_t len = data != NULL ? fread(data, 1, INPUT_MAX, in) : 0;
	Google__Protobuf__FileDescriptorSet *set =
		len < INPUT_MAX ? google__protobuf__file_descriptor_set__unpack(NULL, len, data)
				: NULL;
	if (set == NULL) {
		fail("not a set of descriptors", argv[1]);
	}
	fclose(in);
	FILE *header = open_file(argv[3], "w");
	write_header(header, set, argv[2]);
	close_file(header, argv[3]);
	FILE *source = open_file(argv[4], "w");
	write_source(source, set, argv[2]);
	close_file(source, argv[4]);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
	free(data);
	return 0;
}
