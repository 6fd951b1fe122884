/* Statuses as they travel: google.rpc.Status with ErrorInfo, BadRequest and
 * RetryInfo, each packed into a google.protobuf.Any. What comes from the peer is
 * scanned before it is unpacked. */
#include <string.h>

#include "common/arena.h"
#include "common/grpc.h"
#include "common/pb.h"
#include "common/scan.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

enum { DETAILS_MAX = 3, DETAILS_READ_MAX = 16 };

static const char url_prefix[] = "type.googleapis.com/";
static const char domain[] = "isms.v1";

#define US_PER_SECOND INT64_C(1000000)

/* Generated structs hold char *, though nothing writes through it. */
static char *text_of(const char *text)
{
	return (char *)(uintptr_t)(text == NULL ? "" : text);
}

/* message as an Any; NULL when out of memory. */
static Google__Protobuf__Any *wrap(const ProtobufCMessage *message, struct arena *arena)
{
	Google__Protobuf__Any *any = (void *)pb_new(&google__protobuf__any__descriptor, arena);

	if (any == NULL)
		return NULL;
	any->type_url = arena_printf(arena, "%s%s", url_prefix, message->descriptor->name);
	any->value.data = pb_pack(&any->value.len, message, arena);
	return any->type_url == NULL || any->value.data == NULL ? NULL : any;
}

static Google__Protobuf__Any *error_info(const struct status *st, struct arena *arena)
{
	Google__Rpc__ErrorInfo__MetadataEntry entries[STATUS_PAIRS_MAX];
	Google__Rpc__ErrorInfo__MetadataEntry *list[STATUS_PAIRS_MAX];
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;

	info.reason = text_of(st->reason);
	info.domain = text_of(domain);
	info.metadata = list;
	for (size_t i = 0; st->details != NULL && i < st->details->n_pairs; i++) {
		google__rpc__error_info__metadata_entry__init(&entries[i]);
		entries[i].key = text_of(st->details->pairs[i].key);
		entries[i].value = text_of(st->details->pairs[i].value);
		list[info.n_metadata++] = &entries[i];
	}
	return wrap(&info.base, arena);
}

static Google__Protobuf__Any *bad_request(const struct status_details *details, struct arena *arena)
{
	Google__Rpc__BadRequest__FieldViolation violations[STATUS_VIOLATIONS_MAX];
	Google__Rpc__BadRequest__FieldViolation *list[STATUS_VIOLATIONS_MAX];
	Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;

	request.field_violations = list;
	for (size_t i = 0; i < details->n_violations; i++) {
		google__rpc__bad_request__field_violation__init(&violations[i]);
		violations[i].field = text_of(details->violations[i].field);
		violations[i].description = text_of(details->violations[i].description);
		list[request.n_field_violations++] = &violations[i];
	}
	return wrap(&request.base, arena);
}

static Google__Protobuf__Any *retry_info(int64_t retry_after_us, struct arena *arena)
{
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;

	delay.seconds = retry_after_us / US_PER_SECOND;
	delay.nanos = (int32_t)(retry_after_us % US_PER_SECOND) * 1000;
	info.retry_delay = &delay;
	return wrap(&info.base, arena);
}

uint8_t *grpc_status_encode(size_t *out_len, const struct status *st, struct arena *arena)
{
	Google__Protobuf__Any *details[DETAILS_MAX];
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

	status.code = (int32_t)st->code;
	status.message = text_of(st->message);
	status.details = details;
	if (st->reason != NULL && st->reason[0] != '\0')
		details[status.n_details++] = error_info(st, arena);
	if (st->details != NULL && st->details->n_violations > 0)
		details[status.n_details++] = bad_request(st->details, arena);
	if (st->details != NULL && st->details->retry_after_us > 0)
		details[status.n_details++] = retry_info(st->details->retry_after_us, arena);
	for (size_t i = 0; i < status.n_details; i++) {
		if (details[i] == NULL)
			return NULL;
	}
	return pb_pack(out_len, &status.base, arena);
}

static ProtobufCMessage *read_message(const ProtobufCMessageDescriptor *type, const uint8_t *data,
				      size_t len, struct arena *arena)
{
	struct status st = scan_message(type, data, len, &scan_limits_default, arena);

	return status_ok(&st) ? pb_unpack(type, data, len, arena) : NULL;
}

/* The content of an Any if it is of this type, else NULL. */
static const void *unwrap(const Google__Protobuf__Any *any, const ProtobufCMessageDescriptor *type,
			  struct arena *arena)
{
	const char *name = strrchr(any->type_url, '/');

	if (name == NULL || strcmp(name + 1, type->name) != 0)
		return NULL;
	return read_message(type, any->value.data, any->value.len, arena);
}

static void read_detail(struct status *st, const Google__Protobuf__Any *any, struct arena *arena)
{
	const Google__Rpc__ErrorInfo *info =
		unwrap(any, &google__rpc__error_info__descriptor, arena);
	const Google__Rpc__BadRequest *request =
		unwrap(any, &google__rpc__bad_request__descriptor, arena);
	const Google__Rpc__RetryInfo *retry =
		unwrap(any, &google__rpc__retry_info__descriptor, arena);

	if (info != NULL) {
		if (info->reason[0] != '\0')
			st->reason = info->reason;
		for (size_t i = 0; i < info->n_metadata; i++)
			status_add_pair(st, arena, info->metadata[i]->key,
					info->metadata[i]->value);
	}
	for (size_t i = 0; request != NULL && i < request->n_field_violations; i++)
		status_add_violation(st, arena, request->field_violations[i]->field,
				     request->field_violations[i]->description);
	if (retry != NULL && retry->retry_delay != NULL && retry->retry_delay->nanos >= 0 &&
	    retry->retry_delay->nanos < 1000000000 && retry->retry_delay->seconds >= 0 &&
	    retry->retry_delay->seconds < INT64_MAX / US_PER_SECOND)
		status_set_retry(st, arena,
				 retry->retry_delay->seconds * US_PER_SECOND +
					 retry->retry_delay->nanos / 1000);
}

struct status grpc_status_decode(enum status_code code, const char *message, const uint8_t *details,
				 size_t len, struct arena *arena)
{
	const Google__Rpc__Status *status = NULL;
	struct status st = { .code = code, .reason = status_code_name(code) };

	st.message = message == NULL ? "" : arena_strdup(arena, message);
	if (st.message == NULL)
		st.message = "";
	if (len > 0)
		status = (const void *)read_message(&google__rpc__status__descriptor, details, len,
						    arena);
	for (size_t i = 0; status != NULL && i < status->n_details && i < DETAILS_READ_MAX; i++)
		read_detail(&st, status->details[i], arena);
	return st;
}
