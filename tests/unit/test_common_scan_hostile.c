#include <time.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "isms/v1/catalog.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "tests/unit/test_common_scan.h"

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Scans a hostile message, which must be refused for this reason, and fast. */
static void refuse_fast(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t len,
			const char *reason, const char *name)
{
	double start = cpu_ms(), spent;

	CHECK_STR(scan(type, bytes, len, &scan_limits_default), reason);
	spent = cpu_ms() - start;
	printf("# %s: %zu bytes refused in %.3f ms\n", name, len, spent);
	CHECK(spent < 20);
}

TEST(the_bomb_of_depth_is_refused)
{
	static uint8_t bytes[8700 * 4];
	uint8_t *at = bytes + sizeof(bytes);
	size_t len = 0;

	while (at - bytes >= 4) {
		uint8_t head[4] = { 0x1a, (uint8_t)(len & 0x7f), (uint8_t)(len >> 7), 0 };
		size_t n = 2;

		if (len > 127) {
			head[1] |= 0x80;
			n = 3;
		}
		if (len > 16383) {
			head[2] = (uint8_t)((len >> 7 & 0x7f) | 0x80);
			head[3] = (uint8_t)(len >> 14);
			n = 4;
		}
		at -= n;
		memcpy(at, head, n);
		len += n;
	}
	CHECK(len > 29000);
	refuse_fast(&google__protobuf__descriptor_proto__descriptor, at, len, "MESSAGE_TOO_COMPLEX",
		    "nesting");
}

TEST(the_bomb_of_merging_is_refused)
{
	uint8_t *bytes = repeat("\x1a\x02\x3a\x00", 4, 80000);

	refuse_fast(&isms__v1__create_risk_request__descriptor, bytes, 320000, "DUPLICATE_FIELD",
		    "merging");
	CHECK_STR(violation, "fields");
	free(bytes);
}

TEST(the_bombs_of_growth_are_refused)
{
	static const struct {
		const char *name, *unit;
		size_t unit_len;
		const ProtobufCMessageDescriptor *type;
	} bombs[] = {
		{ "empty sub-messages", "\x0a\x00", 2, &isms__v1__list_risks_response__descriptor },
		{ "empty texts", "\x3a\x00", 2, &isms__v1__risk_fields__descriptor },
		{ "unknown fields", "\x98\x06\x01", 3, &isms__v1__risk_fields__descriptor },
	};

	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		uint8_t *bytes = repeat(bombs[i].unit, bombs[i].unit_len, 160000);

		/* By their number, and below that number by what they grow to. */
		refuse_fast(bombs[i].type, bytes, 160000 * bombs[i].unit_len, "MESSAGE_TOO_COMPLEX",
			    bombs[i].name);
		refuse_fast(bombs[i].type, bytes, 9999 * bombs[i].unit_len, "MESSAGE_TOO_COMPLEX",
			    bombs[i].name);
		free(bytes);
	}
}

TEST(a_hundred_kibibytes_take_about_a_millisecond)
{
	static const char uuid[] = "\x3a\x24"
				   "0190a5e2-7c3d-7abc-9def-0123456789ab";
	uint8_t *lists = repeat(uuid, 38, 2694), *text = malloc(102400);
	double best = 1e9;

	memset(text, 'x', 102400);
	memcpy(text, "\x12\xfc\x9f\x06", 4);
	for (int round = 0; round < 10; round++) {
		struct arena *arena = arena_new(1 << 20);
		double start = cpu_ms(), spent;
		struct status a = scan_message(&isms__v1__risk_fields__descriptor, lists, 2694 * 38,
					       &scan_limits_default, arena);
		struct status b = scan_message(&isms__v1__risk_fields__descriptor, text, 102400,
					       &scan_limits_default, arena);

		spent = (cpu_ms() - start) / 2;
		CHECK(status_ok(&a) && status_ok(&b));
		best = spent < best ? spent : best;
		arena_free(arena);
	}
	printf("# %.3f ms for 100 KiB\n", best);
	CHECK(best < 5); /* sanitizers and busy machines included */
	free(lists);
	free(text);
}

/* --- random changes ------------------------------------------------------- */

static uint64_t seed;

static size_t below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

enum { INPUT_MAX = 4096 };

/* Changes a few places: a bit, a byte, a slice left out or given twice. */
static size_t mutate(uint8_t *bytes, size_t len)
{
	static const uint8_t liked[] = { 0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x1a, 0x22 };

	for (size_t i = below(3); i < 3; i++) {
		size_t at = below(len), n = 1 + below(len - at < 16 ? len - at : 16);

		switch (below(5)) {
		case 0:
			bytes[at] ^= (uint8_t)(1 << below(8));
			break;
		case 1:
			bytes[at] = (uint8_t)below(256);
			break;
		case 2:
			bytes[at] = liked[below(sizeof(liked))];
			break;
		case 3:
			if (n < len) {
				memmove(bytes + at, bytes + at + n, len - at - n);
				len -= n;
			}
			break;
		default:
			if (len + n <= INPUT_MAX) {
				memmove(bytes + at + n, bytes + at, len - at);
				len += n;
			}
		}
	}
	return len;
}

/* The least memory with which the scan accepts what it accepts. */
static size_t predicted(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t len)
{
	struct scan_limits limits = scan_limits_default;
	struct arena *arena = arena_new(1 << 20);
	size_t low = 0, high = 64 << 10;

	while (low < high) {
		struct status st;

		limits.heap = low + (high - low) / 2;
		st = scan_message(type, bytes, len, &limits, arena);
		if (status_ok(&st))
			high = limits.heap;
		else
			low = limits.heap + 1;
	}
	arena_free(arena);
	return low;
}

/* Unpacks within the memory predicted, which must not be far above what is used. */
static void unpack_within(size_t cap, const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
			  size_t len)
{
	struct arena *arena = arena_new(cap);

	CHECK(pb_unpack(type, bytes, len, arena) != NULL);
	CHECK(cap - arena_used(arena) <= 256);
	arena_free(arena);
}

/* Scans 20,000 changed forms of a valid message in a block of its own size, so
 * that a sanitizer sees a read beyond it. Returns how many were accepted. */
static unsigned mutate_all(const ProtobufCMessage *message)
{
	struct arena *arena = arena_new(1 << 20);
	const ProtobufCMessageDescriptor *type = message->descriptor;
	size_t len = 0;
	uint8_t *valid = pb_pack(&len, message, arena);
	unsigned accepted = 0;

	CHECK_STR(scan(type, valid, len, &scan_limits_default), "");
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[INPUT_MAX], *exact;
		size_t n;

		memcpy(bytes, valid, len);
		n = mutate(bytes, len);
		exact = malloc(n);
		memcpy(exact, bytes, n);
		if (scan(type, exact, n, &scan_limits_default)[0] == '\0') {
			accepted++;
			unpack_within(predicted(type, exact, n), type, exact, n);
		}
		free(exact);
	}
	printf("# %s: %u of 20000 accepted\n", type->name, accepted);
	arena_free(arena);
	return accepted;
}

TEST(whatever_passes_can_be_unpacked_a_request)
{
	Isms__V1__Mutation mutation = ISMS__V1__MUTATION__INIT;
	Isms__V1__RiskFields fields = ISMS__V1__RISK_FIELDS__INIT;
	Isms__V1__UpdateRiskRequest request = ISMS__V1__UPDATE_RISK_REQUEST__INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *ids[60] = { (char[]){ "0190a5e2-7c3d-7abc-9def-0123456789ab" } };
	char *paths[] = { (char[]){ "title" }, (char[]){ "asset_ids" } };
	unsigned accepted;

	seed = 0x9e3779b97f4a7c15;
	for (size_t i = 1; i < 60; i++)
		ids[i] = ids[0] + 30;
	mutation.request_id = ids[0];
	mutation.expected_version = 12;
	mutation.dry_run = 1;
	fields.title = (char[]){ "Poisoned training data" };
	fields.cause = (char[]){ "no provenance\nchecks" };
	fields.asset_ids = fields.threat_ids = ids;
	fields.n_asset_ids = fields.n_threat_ids = 60;
	mask.paths = paths;
	mask.n_paths = 2;
	request.mutation = &mutation;
	request.id = ids[0];
	request.fields = &fields;
	request.update_mask = &mask;
	accepted = mutate_all(&request.base);
	CHECK(accepted > 1000 && accepted < 19000);
}

TEST(whatever_passes_can_be_unpacked_lists_and_numbers)
{
	Isms__V1__RiskCriteria criteria = ISMS__V1__RISK_CRITERIA__INIT;
	Isms__V1__ScaleStep step = ISMS__V1__SCALE_STEP__INIT, *steps[] = { &step, &step };
	Isms__V1__RiskLevel matrix[] = { 1, 2, 3, 4, (Isms__V1__RiskLevel)-1, 1, 2 };
	unsigned accepted;

	seed = 0x2545f4914f6cdd1d;
	criteria.likelihood = criteria.impact = steps;
	criteria.n_likelihood = criteria.n_impact = 2;
	criteria.matrix = matrix;
	criteria.n_matrix = 7;
	criteria.appetite = ISMS__V1__RISK_LEVEL__RISK_LEVEL_LOW;
	accepted = mutate_all(&criteria.base);
	CHECK(accepted > 1000 && accepted < 19000);
}

TEST(whatever_passes_can_be_unpacked_required_fields_and_oneofs)
{
	Google__Protobuf__UninterpretedOption option = GOOGLE__PROTOBUF__UNINTERPRETED_OPTION__INIT;
	Google__Protobuf__UninterpretedOption__NamePart part =
		GOOGLE__PROTOBUF__UNINTERPRETED_OPTION__NAME_PART__INIT;
	Google__Protobuf__UninterpretedOption__NamePart *parts[] = { &part, &part };
	Grpc__Reflection__V1__ServerReflectionRequest request =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	Grpc__Reflection__V1__ExtensionRequest extension =
		GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;
	unsigned accepted;

	seed = 0x853c49e6748fea9b;
	part.name_part = (char[]){ "rules" };
	option.name = parts;
	option.n_name = 2;
	option.has_double_value = 1;
	option.double_value = 1.5;
	option.has_negative_int_value = 1;
	option.negative_int_value = -7;
	accepted = mutate_all(&option.base);
	CHECK(accepted > 1000 && accepted < 19000);
	extension.containing_type = (char[]){ "google.protobuf.FieldOptions" };
	extension.extension_number = 51000;
	request.host = (char[]){ "h" };
	request.message_request_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION;
	request.file_containing_extension = &extension;
	accepted = mutate_all(&request.base);
	CHECK(accepted > 1000 && accepted < 19000);
}

TAP_MAIN
