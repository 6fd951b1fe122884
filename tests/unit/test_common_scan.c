#include "tests/unit/test_common_scan.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "isms/v1/catalog.pb-c.h"
#include "isms/v1/risk.pb-c.h"

#define SCAN(type, literal) scan(&(type), (literal), sizeof(literal) - 1, &scan_limits_default)

#define CHECK_SCAN(type, literal, reason, field)                                                   \
	do {                                                                                       \
		CHECK_STR(SCAN(type, literal), reason);                                            \
		CHECK_STR(violation, field);                                                       \
	} while (0)

#define CREATE     isms__v1__create_risk_request__descriptor
#define FIELDS     isms__v1__risk_fields__descriptor
#define SCORE      isms__v1__score_risk_request__descriptor
#define MUTATION   isms__v1__mutation__descriptor
#define CRITERIA   isms__v1__risk_criteria__descriptor
#define REFLECTION grpc__reflection__v1__server_reflection_request__descriptor
#define OPTION     google__protobuf__uninterpreted_option__descriptor
#define ANNOTATION google__protobuf__generated_code_info__annotation__descriptor
#define DESCRIPTOR google__protobuf__descriptor_proto__descriptor
#define ERROR_INFO google__rpc__error_info__descriptor
#define RULES      isms__v1__field_rules__descriptor

TEST(well_formed_messages_pass)
{
	CHECK_SCAN(CREATE, "", "", "");
	CHECK_SCAN(CREATE,
		   "\x12\x02id\x1a\x05\x0a\x03"
		   "abc",
		   "", "");
	CHECK_SCAN(FIELDS,
		   "\x3a\x01"
		   "a\x42\x01t\x3a\x01"
		   "b",
		   "", "");
	CHECK_SCAN(MUTATION, "\x18\x01\x10\x05", "", "");
	CHECK_SCAN(MUTATION, "\x10\x85\x00", "", ""); /* longer than needed, but valid */
}

TEST(malformed_bytes_are_refused)
{
	CHECK_SCAN(MUTATION, "\x80", "MALFORMED_PROTO", "");         /* tag cut */
	CHECK_SCAN(MUTATION, "\x10", "MALFORMED_PROTO", "");         /* value missing */
	CHECK_SCAN(MUTATION, "\x10\x80", "MALFORMED_PROTO", "");     /* varint cut */
	CHECK_SCAN(MUTATION, "\x00\x01", "MALFORMED_PROTO", "");     /* field number 0 */
	CHECK_SCAN(MUTATION, "\x80\x00\x01", "MALFORMED_PROTO", ""); /* the same, longer */
	CHECK_SCAN(MUTATION,
		   "\x0a\x05"
		   "abcd",
		   "MALFORMED_PROTO", ""); /* length beyond the end */
	CHECK_SCAN(MUTATION, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "MALFORMED_PROTO", "");
	CHECK_SCAN(MUTATION, "\x0a\xff\xff\xff\xff\x0f", "MALFORMED_PROTO", "");
	CHECK_SCAN(MUTATION, "\x0a\x81\x80\x80\x80\x80\x00x", "MALFORMED_PROTO", "");
	CHECK_SCAN(MUTATION, "\x13\x14", "MALFORMED_PROTO", "");         /* group */
	CHECK_SCAN(MUTATION, "\xa3\x06\xa4\x06", "MALFORMED_PROTO", ""); /* unknown group */
	CHECK_SCAN(MUTATION, "\x16\x01", "MALFORMED_PROTO", "");         /* wire type 6 */
	CHECK_SCAN(MUTATION, "\x17\x01", "MALFORMED_PROTO", "");         /* wire type 7 */
	CHECK_SCAN(MUTATION, "\x99\x06\x01\x02\x03\x04\x05\x06\x07", "MALFORMED_PROTO", "");
	CHECK_SCAN(MUTATION, "\x9d\x06\x01\x02\x03", "MALFORMED_PROTO", "");
	CHECK_SCAN(MUTATION, "\x90\x80\x80\x80\x80\x00\x01", "MALFORMED_PROTO", ""); /* long tag */
	CHECK_SCAN(MUTATION, "\x90\x80\x80\x80\x10\x01", "MALFORMED_PROTO", ""); /* 33-bit tag */
}

TEST(varints_of_eleven_bytes_or_above_64_bits_are_refused)
{
	CHECK_SCAN(MUTATION, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "", "");
	CHECK_SCAN(MUTATION, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "MALFORMED_PROTO", "");
	CHECK_SCAN(MUTATION, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", "MALFORMED_PROTO",
		   "");
	CHECK_SCAN(MUTATION, "\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "MALFORMED_PROTO",
		   "");
}

TEST(the_wrong_wire_type_is_refused_naming_the_field)
{
	CHECK_SCAN(MUTATION, "\x08\x01", "MALFORMED_PROTO", "request_id");
	CHECK_SCAN(MUTATION, "\x12\x01x", "MALFORMED_PROTO", "expected_version");
	CHECK_SCAN(MUTATION, "\x1d\x01\x02\x03\x04", "MALFORMED_PROTO", "dry_run");
	CHECK_SCAN(CREATE, "\x18\x01", "MALFORMED_PROTO", "fields");
	CHECK_SCAN(CREATE, "\x1a\x02\x08\x01", "MALFORMED_PROTO", "fields.title");
	CHECK_SCAN(FIELDS, "\x3a\x01x\x38\x01", "MALFORMED_PROTO", "asset_ids[1]");
	CHECK_SCAN(OPTION, "\x30\x01", "MALFORMED_PROTO", "double_value");
	CHECK_SCAN(OPTION, "\x31\x01\x02\x03\x04\x05\x06\x07\x08", "", "");
}

TEST(values_that_unpacking_would_cut_are_refused)
{
	/* int32 4: -1, the least, the greatest, one more, one less. */
	CHECK_SCAN(SCORE, "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "", "");
	CHECK_SCAN(SCORE, "\x20\x80\x80\x80\x80\xf8\xff\xff\xff\xff\x01", "", "");
	CHECK_SCAN(SCORE, "\x20\xff\xff\xff\xff\x07", "", "");
	CHECK_SCAN(SCORE, "\x20\x80\x80\x80\x80\x08", "MALFORMED_PROTO", "likelihood");
	CHECK_SCAN(SCORE, "\x20\xff\xff\xff\xff\xf7\xff\xff\xff\xff\x01", "MALFORMED_PROTO",
		   "likelihood");
	/* uint32 2 */
	CHECK_SCAN(RULES, "\x10\xff\xff\xff\xff\x0f", "", "");
	CHECK_SCAN(RULES, "\x10\x80\x80\x80\x80\x10", "MALFORMED_PROTO", "max_len");
	/* bool 3 */
	CHECK_SCAN(MUTATION, "\x18\x02", "MALFORMED_PROTO", "dry_run");
}

TEST(an_enum_may_have_a_value_without_a_name)
{
	CHECK_SCAN(SCORE, "\x18\x63", "", "");
	CHECK_SCAN(SCORE, "\x18\xff\xff\xff\xff\x07", "", "");
	CHECK_SCAN(SCORE, "\x18\x80\x80\x80\x80\x08", "MALFORMED_PROTO", "kind");
}

TEST(a_singular_field_given_twice_is_refused)
{
	CHECK_SCAN(MUTATION, "\x18\x01\x18\x01", "DUPLICATE_FIELD", "dry_run");
	CHECK_SCAN(CREATE, "\x12\x01x\x12\x01x", "DUPLICATE_FIELD", "scope_id");
	CHECK_SCAN(CREATE, "\x1a\x00\x12\x01x\x1a\x00", "DUPLICATE_FIELD", "fields");
	CHECK_SCAN(CREATE, "\x1a\x04\x0a\x00\x0a\x00", "DUPLICATE_FIELD", "fields.title");
	/* Each message has fields of its own. */
	CHECK_SCAN(CRITERIA, "\x0a\x03\x0a\x01x\x0a\x03\x0a\x01y", "", "");
}

TEST(two_members_of_a_oneof_are_refused)
{
	CHECK_SCAN(REFLECTION, "\x0a\x01h\x3a\x01x", "", "");
	CHECK_SCAN(REFLECTION, "\x3a\x01x\x3a\x01y", "DUPLICATE_FIELD", "list_services");
	CHECK_SCAN(REFLECTION, "\x1a\x01x\x3a\x01y", "DUPLICATE_FIELD", "list_services");
	CHECK_SCAN(REFLECTION, "\x2a\x00\x1a\x01x", "DUPLICATE_FIELD", "file_by_filename");
}

TEST(unknown_fields_pass_unless_they_are_refused)
{
	struct scan_limits strict = scan_limits_default;
	const char unknown[] = "\x98\x06\x01";
	const char inside[] = "\x1a\x03\x98\x06\x01";

	strict.refuse_unknown = true;
	CHECK_SCAN(CREATE, "\x98\x06\x01\x98\x06\x01\x9a\x06\x01x", "", "");
	CHECK_STR(scan(&CREATE, unknown, 3, &strict), "UNKNOWN_FIELD");
	CHECK_STR(violation, "99");
	CHECK_STR(scan(&CREATE, inside, 5, &strict), "UNKNOWN_FIELD");
	CHECK_STR(violation, "fields.99");
}

TEST(lists_of_numbers_pass_packed_or_not)
{
	CHECK_SCAN(CRITERIA, "\x1a\x03\x01\x02\x03", "", "");
	CHECK_SCAN(CRITERIA, "\x18\x01\x18\x02\x18\x03", "", "");
	CHECK_SCAN(CRITERIA, "\x18\x01\x1a\x02\x01\x02\x18\x03\x1a\x00", "", "");
	CHECK_SCAN(CRITERIA, "\x1a\x00", "", "");
	CHECK_SCAN(CRITERIA, "\x1a\x02\x01\x82", "MALFORMED_PROTO", "matrix[0]");
	CHECK_SCAN(CRITERIA, "\x1a\x05\x80\x80\x80\x80\x08", "MALFORMED_PROTO", "matrix[0]");
	CHECK_SCAN(CRITERIA, "\x1d\x01\x02\x03\x04", "MALFORMED_PROTO", "matrix[0]");
	CHECK_SCAN(ANNOTATION,
		   "\x0a\x02\x01\x02\x08\x03\x12\x01"
		   "f",
		   "", "");
}

TEST(packed_fixed_width_lists_must_be_whole)
{
	/* The API has no such lists: a type made up of them. */
	static const ProtobufCFieldDescriptor fields[] = {
		{ .name = "words",
		  .id = 1,
		  .label = PROTOBUF_C_LABEL_REPEATED,
		  .type = PROTOBUF_C_TYPE_FIXED32,
		  .quantifier_offset = 24,
		  .offset = 32 },
		{ .name = "longs",
		  .id = 2,
		  .label = PROTOBUF_C_LABEL_REPEATED,
		  .type = PROTOBUF_C_TYPE_DOUBLE,
		  .quantifier_offset = 40,
		  .offset = 48 },
		{ .name = "flags",
		  .id = 3,
		  .label = PROTOBUF_C_LABEL_REPEATED,
		  .type = PROTOBUF_C_TYPE_BOOL,
		  .quantifier_offset = 56,
		  .offset = 64 },
	};
	static const ProtobufCIntRange ranges[] = { { 1, 0 }, { 0, 3 } };
	static const ProtobufCMessageDescriptor lists = {
		.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
		.name = "lists",
		.sizeof_message = 72,
		.n_fields = 3,
		.fields = fields,
		.n_field_ranges = 1,
		.field_ranges = ranges,
	};

	CHECK_SCAN(lists, "\x0a\x08zzzzyyyy\x0dzzzz\x12\x08zzzzyyyy\x11zzzzyyyy", "", "");
	CHECK_SCAN(lists, "\x0a\x07zzzzyyy", "MALFORMED_PROTO", "words[0]");
	CHECK_SCAN(lists, "\x12\x04zzzz", "MALFORMED_PROTO", "longs[0]");
	CHECK_SCAN(lists, "\x1a\x03\x00\x01\x01\x18\x01", "", "");
	CHECK_SCAN(lists, "\x1a\x02\x00\x02", "MALFORMED_PROTO", "flags[0]");
	CHECK_SCAN(lists, "\x1a\x02\x80\x00", "MALFORMED_PROTO", "flags[0]");
}

TEST(maps_pass_and_their_entries_follow_the_rules)
{
	CHECK_SCAN(ERROR_INFO, "\x1a\x06\x0a\x01k\x12\x01v\x1a\x00", "", "");
	CHECK_SCAN(ERROR_INFO, "\x1a\x00\x1a\x06\x0a\x01k\x0a\x01k", "DUPLICATE_FIELD",
		   "metadata[1].key");
	CHECK_SCAN(ERROR_INFO, "\x1a\x03\x12\x01\x07", "INVALID_TEXT", "metadata[0].value");
}

TEST(fields_that_unpacking_insists_on_must_be_there)
{
	CHECK_SCAN(OPTION, "\x12\x05\x0a\x01n\x10\x01", "", "");
	CHECK_SCAN(OPTION, "\x12\x03\x0a\x01n", "MALFORMED_PROTO", "name[0].is_extension");
}

TEST(texts_must_be_safe_to_show)
{
	CHECK_SCAN(FIELDS, "\x0a\x05\xe2\x82\xac\xc3\xa9", "", "");
	CHECK_SCAN(FIELDS,
		   "\x12\x03"
		   "a\nb",
		   "", "");
	CHECK_SCAN(FIELDS, "\x0a\x01\x00", "INVALID_TEXT", "title");
	CHECK_SCAN(FIELDS, "\x0a\x02\xc3(", "INVALID_TEXT", "title");
	CHECK_SCAN(CREATE, "\x1a\x05\x12\x03\xe2\x80\xae", "INVALID_TEXT", "fields.cause");
	CHECK_SCAN(FIELDS, "\x42\x01x\x3a\x01y\x42\x01\x1b", "INVALID_TEXT", "threat_ids[1]");
}

TEST(depth_is_bounded)
{
	/* nested_type of DescriptorProto, field 3, in itself. */
	uint8_t bytes[64] = { 0 };
	size_t len = 0;

	for (int depth = 1; depth <= 17; depth++) {
		memmove(bytes + 2, bytes, len);
		bytes[0] = 0x1a;
		bytes[1] = (uint8_t)len;
		len += 2;
		CHECK_STR(scan(&DESCRIPTOR, bytes, len, &scan_limits_default),
			  depth <= 16 ? "" : "MESSAGE_TOO_COMPLEX");
	}
	CHECK(strncmp(violation, "nested_type[0].nested_type[0]", 29) == 0);
}

TEST(fields_are_bounded)
{
	struct scan_limits limits = scan_limits_default;
	const char four[] = "\x3a\x00\x3a\x00\x42\x00\x98\x06\x01";
	const char packed[] = "\x1a\x04\x01\x02\x03\x01";

	limits.fields = 4;
	CHECK_STR(scan(&FIELDS, four, 9, &limits), "");
	limits.fields = 3;
	CHECK_STR(scan(&FIELDS, four, 9, &limits), "MESSAGE_TOO_COMPLEX");
	limits.fields = 5;
	CHECK_STR(scan(&CRITERIA, packed, 6, &limits), "");
	limits.fields = 4;
	CHECK_STR(scan(&CRITERIA, packed, 6, &limits), "MESSAGE_TOO_COMPLEX");
}

TEST(memory_is_bounded_by_the_wire_and_by_the_limit)
{
	struct scan_limits limits = scan_limits_default;
	uint8_t *small = repeat("\x3a\x00", 2, 400), *uuids;
	static const char uuid[] = "\x3a\x24"
				   "0190a5e2-7c3d-7abc-9def-0123456789ab";
	static const char head[] = "\x0a\xd0\x86\x03"; /* a title of 50,000 bytes */
	static uint8_t title[50004];

	/* Below the floor the factor does not count. */
	CHECK_STR(scan(&FIELDS, small, 800, &limits), "");
	free(small);
	uuids = repeat(uuid, 38, 1000);
	CHECK_STR(scan(&FIELDS, uuids, 38000, &limits), "");
	limits.heap_factor = 2;
	CHECK_STR(scan(&FIELDS, uuids, 38000, &limits), "MESSAGE_TOO_COMPLEX");
	CHECK(strncmp(violation, "asset_ids[", 10) == 0);
	free(uuids);
	memset(title, 'x', sizeof(title));
	memcpy(title, head, 4);
	limits.heap = 50000;
	CHECK_STR(scan(&FIELDS, title, sizeof(title), &limits), "MESSAGE_TOO_COMPLEX");
	limits.heap = 51000;
	CHECK_STR(scan(&FIELDS, title, sizeof(title), &limits), "");
}

TAP_MAIN
