/* One value as text; see value.h. */
#include "client/cli/value.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "client/cli/app.h"
#include "client/cli/base64.h"
#include "client/cli/field.h"
#include "client/cli/resolve.h"
#include "client/cli/when.h"
#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/common.pb-c.h"

enum { PATH_NAME_MAX = 64 };

const char *value_level(int level)
{
	static const char *const words[] = { "-", ". Low", "o Medium", "O High", "# Critical" };
	return level >= 0 && level <= 4 ? words[level] : "?";
}

static const char *minute_text(struct app *app, int64_t us)
{
	char text[32];
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm))
		return "?";
	return app_strdup(app, text);
}

static const char *time_text(struct app *app, const void *time, bool exact)
{
	char text[32];
	int64_t us = pb_time_us(time);
	if (!exact)
		return minute_text(app, us);
	pb_time_format(text, us);
	return app_strdup(app, text);
}

const char *value_time(struct app *app, const char *text)
{
	int64_t us;
	return when_parse_rfc3339(&us, text) ? minute_text(app, us) : text;
}

static const char *score_text(struct app *app, const Isms__V1__Score *score, bool exact)
{
	if (score->likelihood == 0 && score->impact == 0)
		return exact ? "" : "-";
	const char *level =
		exact ? pb_enum_short(&isms__v1__risk_level__descriptor, (int32_t)score->level)
		      : value_level((int)score->level);
	return app_printf(app, "%s (%dx%d)", level ? level : "?", score->likelihood, score->impact);
}

/* "2 of RISK_COMMITTEE" and the like. */
static const char *step_text(struct app *app, const Isms__V1__PolicyStep *step)
{
	const char *who = step->role_code;
	if (step->selector == ISMS__V1__STEP_SELECTOR__STEP_SELECTOR_RISK_OWNER)
		who = "risk owner";
	else if (step->selector == ISMS__V1__STEP_SELECTOR__STEP_SELECTOR_SCOPE_OWNER)
		who = "scope owner";
	else if (step->selector == ISMS__V1__STEP_SELECTOR__STEP_SELECTOR_ASSET_OWNER)
		who = "asset owners";
	else if (step->selector == ISMS__V1__STEP_SELECTOR__STEP_SELECTOR_USERS)
		who = value_at(app, &step->base, "user_ids", false);
	const char *how = "any";
	if (step->mode == ISMS__V1__STEP_MODE__STEP_MODE_ALL)
		how = "all";
	else if (step->mode == ISMS__V1__STEP_MODE__STEP_MODE_QUORUM)
		how = app_printf(app, "%d", step->quorum);
	return app_printf(app, "%d. %s of %s%s", step->step_no, how, who,
			  step->distinct_from_prior ? " (other people)" : "");
}

static const char *steps_text(struct app *app, const Isms__V1__PolicySteps *steps)
{
	const char *out = "";
	for (size_t i = 0; i < steps->n_steps; i++)
		out = app_printf(app, "%s%s%s", out, i ? "; " : "",
				 step_text(app, steps->steps[i]));
	if (steps->reject_may_be_outvoted)
		out = app_printf(app, "%s; a rejection may be outvoted", out);
	return out;
}

static const char *message_text(struct app *app, const ProtobufCMessage *message, bool exact)
{
	if (!message)
		return exact ? "" : "-";
	if (message->descriptor == &google__protobuf__timestamp__descriptor)
		return time_text(app, message, exact);
	if (message->descriptor == &isms__v1__score__descriptor)
		return score_text(app, (const void *)message, exact);
	if (message->descriptor == &isms__v1__policy_step__descriptor)
		return step_text(app, (const void *)message);
	if (message->descriptor == &isms__v1__policy_steps__descriptor)
		return steps_text(app, (const void *)message);
	const char *out = "";
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		if (pb_is_default(message, field))
			continue;
		out = app_printf(app, "%s%s%s=%s", out, *out ? "; " : "", field->name,
				 value_at(app, message, field->name, exact));
	}
	return out;
}

static const char *enum_text(struct app *app, const ProtobufCFieldDescriptor *field, int32_t number,
			     bool exact)
{
	const char *name = pb_enum_short(field->descriptor, number);
	if (!exact && field->descriptor == &isms__v1__risk_level__descriptor)
		return value_level(number);
	if (number == 0 && name && strcmp(name, "UNSPECIFIED") == 0)
		return exact ? "" : "-";
	return name ? name : app_printf(app, "%d", number);
}

static const char *string_text(struct app *app, const ProtobufCFieldDescriptor *field,
			       const char *text, bool exact)
{
	const char *object = exact ? NULL : resolve_object(field->name);
	if (!*text && !exact)
		return "-";
	return object ? resolve_label(app, object, text) : text;
}

/* A singular value or one element, as value_at tells it. */
static const char *text_of(struct app *app, const ProtobufCFieldDescriptor *field,
			   const void *value, bool exact)
{
	const ProtobufCBinaryData *bytes = value;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return string_text(app, field, *(char *const *)value, exact);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes->len ? hex_encode(app, bytes->data, bytes->len) : exact ? "" : "-";
	case PROTOBUF_C_TYPE_ENUM:
		return enum_text(app, field, *(const int32_t *)value, exact);
	case PROTOBUF_C_TYPE_BOOL:
		if (exact)
			return *(const protobuf_c_boolean *)value ? "true" : "false";
		return *(const protobuf_c_boolean *)value ? "yes" : "no";
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_text(app, *(ProtobufCMessage *const *)value, exact);
	case PROTOBUF_C_TYPE_FLOAT:
		return app_printf(app, "%g", (double)*(const float *)value);
	case PROTOBUF_C_TYPE_DOUBLE:
		return app_printf(app, "%g", *(const double *)value);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return app_printf(app, "%" PRIu32, *(const uint32_t *)value);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return app_printf(app, "%" PRIu64, *(const uint64_t *)value);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return app_printf(app, "%" PRId64, *(const int64_t *)value);
	default:
		return app_printf(app, "%" PRId32, *(const int32_t *)value);
	}
}

/* Whether item is one of the texts that list joins. */
static bool contains(const char *list, const char *item)
{
	size_t len = strlen(item);
	for (const char *p = list; (p = strstr(p, item)); p++) {
		bool starts = p == list || (p - list >= 2 && p[-2] == ',' && p[-1] == ' ');
		if (starts && (p[len] == 0 || p[len] == ','))
			return true;
	}
	return false;
}

static const char *join(struct app *app, const char *list, const char *item)
{
	if (!*item || strcmp(item, "-") == 0 || contains(list, item))
		return list;
	return app_printf(app, "%s%s%s", list, *list ? ", " : "", item);
}

/* list with the texts at a path added. */
static const char *collect(struct app *app, const char *list, const ProtobufCMessage *message,
			   const char *path, bool exact)
{
	char name[PATH_NAME_MAX];
	size_t len = strcspn(path, ".");
	const char *rest = path[len] ? path + len + 1 : NULL;
	(void)snprintf(name, sizeof name, "%.*s", (int)len, path);
	const ProtobufCFieldDescriptor *field =
		message ? pb_field(message->descriptor, name) : NULL;
	if (!field)
		return list;
	bool many = field->label == PROTOBUF_C_LABEL_REPEATED;
	size_t n = many ? field_count(message, field) : 1;
	for (size_t i = 0; i < n; i++) {
		const void *item = many ? field_item(message, field, i) : pb_member(message, field);
		if (rest)
			list = collect(app, list, *(ProtobufCMessage *const *)item, rest, exact);
		else
			list = join(app, list, text_of(app, field, item, exact));
	}
	return list;
}

const char *value_at(struct app *app, const ProtobufCMessage *message, const char *path, bool exact)
{
	const char *out = collect(app, "", message, path, exact);
	return *out || exact ? out : "-";
}
