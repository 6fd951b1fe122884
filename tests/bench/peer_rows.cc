// Columns are found by name once; then a message is filled field by field, as one
// writes it by hand.
#include "tests/bench/peer_rows.hh"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <endian.h>

using google::protobuf::Timestamp;
namespace v1 = isms::v1;

static const int64_t POSTGRES_EPOCH = 946684800;

void die(const std::string &what)
{
	fprintf(stderr, "peer: %s\n", what.c_str());
	exit(1);
}

std::string from_hex(const std::string &hex)
{
	std::string out;
	for (size_t i = 0; i + 1 < hex.size(); i += 2)
		out += (char)std::stoi(hex.substr(i, 2), nullptr, 16);
	return out;
}

std::string uuid_bytes(const std::string &text)
{
	std::string hex;
	for (char c : text)
		if (c != '-')
			hex += c;
	return hex.size() == 32 ? from_hex(hex) : std::string();
}

std::string base64_of(const std::string &in)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	std::string out;
	unsigned bits = 0, n = 0;
	for (unsigned char c : in) {
		bits = bits << 8 | c;
		for (n += 8; n >= 6; n -= 6)
			out += digits[bits >> (n - 6) & 63];
	}
	if (n > 0)
		out += digits[bits << (6 - n) & 63];
	return out;
}

std::string base64_bytes(const std::string &in)
{
	std::string out;
	unsigned bits = 0, n = 0;
	for (char c : in) {
		unsigned value = c >= 'A' && c <= 'Z'   ? (unsigned)(c - 'A')
				 : c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 26
				 : c >= '0' && c <= '9' ? (unsigned)(c - '0') + 52
				 : c == '+' || c == '-' ? 62
							: 63;
		bits = bits << 6 | value;
		n += 6;
		if (n >= 8) {
			n -= 8;
			out += (char)(bits >> n & 255);
		}
	}
	return out;
}

// A row of a result in binary; columns are found by name once for a connection.
class Row
{
      public:
	Row(const PGresult *result, int row, const std::vector<int> &columns)
	    : result(result), row(row), columns(columns)
	{
	}
	bool null(int i) const
	{
		return PQgetisnull(result, row, columns[i]) == 1;
	}
	int64_t number(int i) const
	{
		const char *at = PQgetvalue(result, row, columns[i]);
		uint64_t big = 0;
		int len = null(i) ? 0 : PQgetlength(result, row, columns[i]);
		for (int j = 0; j < len; j++)
			big = big << 8 | (unsigned char)at[j];
		return len == 2 ? (int16_t)big : len == 4 ? (int32_t)big : (int64_t)big;
	}
	std::string text(int i) const
	{
		return std::string(PQgetvalue(result, row, columns[i]),
				   (size_t)PQgetlength(result, row, columns[i]));
	}
	std::string uuid(int i) const
	{
		return null(i) ? std::string() : uuid_text(PQgetvalue(result, row, columns[i]));
	}
	void time(int i, Timestamp *(*make)(void *), void *owner) const
	{
		if (null(i))
			return;
		int64_t us = number(i);
		int64_t seconds = us / 1000000 - (us % 1000000 < 0);
		Timestamp *out = make(owner);
		out->set_seconds(seconds + POSTGRES_EPOCH);
		out->set_nanos((int32_t)(us - seconds * 1000000) * 1000);
	}
	template <class List> void uuids(int i, List *out) const
	{
		const char *at = PQgetvalue(result, row, columns[i]);
		uint32_t size = 0;
		if (PQgetlength(result, row, columns[i]) < 20) // no dimension
			return;
		memcpy(&size, at + 12, 4);
		at += 20;
		for (uint32_t n = be32toh(size); n > 0; n--, at += 20)
			out->Add(uuid_text(at + 4));
	}

      private:
	static std::string uuid_text(const char *bytes)
	{
		static const char digits[] = "0123456789abcdef";
		std::string out;
		out.reserve(36);
		for (int i = 0; i < 16; i++) {
			if (i == 4 || i == 6 || i == 8 || i == 10)
				out += '-';
			out += digits[(unsigned char)bytes[i] >> 4];
			out += digits[(unsigned char)bytes[i] & 15];
		}
		return out;
	}
	const PGresult *result;
	int row;
	const std::vector<int> &columns;
};

// Calls Set on the timestamp that member() of owner gives, unless it is NULL.
#define TIME(row, i, Type, owner, member)                                                          \
	(row).time(                                                                                \
		i, [](void *at) { return static_cast<Type *>(at)->mutable_##member(); }, owner)

static const char *const META[] = { "id",         "ref",        "version",    "created_at",
				    "created_by", "updated_at", "updated_by", "archived_at" };
static const char *const RISK[] = { "scope_id",
				    "ai_system_id",
				    "title",
				    "cause",
				    "event",
				    "consequence",
				    "owner_id",
				    "state",
				    "disposition",
				    "asset_ids",
				    "threat_ids",
				    "vulnerability_ids",
				    "inherent_likelihood",
				    "inherent_impact",
				    "inherent_level",
				    "current_likelihood",
				    "current_impact",
				    "current_level",
				    "target_likelihood",
				    "target_impact",
				    "target_level",
				    "method_id",
				    "accepted_until",
				    "tolerance",
				    "uncovered" };
static const char *const REQUEST[] = { "scope_id",
				       "subject_kind",
				       "subject_id",
				       "subject_ref",
				       "subject_version",
				       "risk_id",
				       "risk_version",
				       "level",
				       "state",
				       "current_step",
				       "requested_by",
				       "requested_by_person",
				       "contributor_persons",
				       "snapshot_sha256",
				       "policy_id",
				       "policy_no",
				       "steps",
				       "closed_at",
				       "close_reason" };
enum { FIRST_OWN = 8 }; // column after those of META

template <size_t N>
static std::vector<int> find_columns(const PGresult *result, const char *const (&names)[N])
{
	std::vector<int> out;
	for (const char *name : META)
		out.push_back(PQfnumber(result, name));
	for (const char *name : names)
		out.push_back(PQfnumber(result, name));
	for (int column : out)
		if (column < 0)
			die("a column is missing");
	return out;
}

std::vector<int> risk_columns(const PGresult *result)
{
	return find_columns(result, RISK);
}

std::vector<int> request_columns(const PGresult *result)
{
	return find_columns(result, REQUEST);
}

static void fill_meta(v1::Meta *meta, const Row &row)
{
	meta->set_id(row.uuid(0));
	meta->set_ref(row.text(1));
	meta->set_version(row.number(2));
	TIME(row, 3, v1::Meta, meta, created_at);
	meta->set_created_by(row.uuid(4));
	TIME(row, 5, v1::Meta, meta, updated_at);
	meta->set_updated_by(row.uuid(6));
	TIME(row, 7, v1::Meta, meta, archived_at);
}

static void fill_score(v1::Score *score, const Row &row, int i)
{
	score->set_likelihood((int32_t)row.number(i));
	score->set_impact((int32_t)row.number(i + 1));
	score->set_level((v1::RiskLevel)row.number(i + 2));
}

void fill_risk(v1::Risk *risk, const PGresult *result, int at, const std::vector<int> &columns)
{
	Row row(result, at, columns);
	int i = FIRST_OWN;
	v1::RiskState state;
	v1::Disposition disposition;
	fill_meta(risk->mutable_meta(), row);
	risk->set_scope_id(row.uuid(i++));
	risk->set_ai_system_id(row.uuid(i++));
	risk->set_title(row.text(i++));
	risk->set_cause(row.text(i++));
	risk->set_event(row.text(i++));
	risk->set_consequence(row.text(i++));
	risk->set_owner_id(row.uuid(i++));
	if (v1::RiskState_Parse("RISK_STATE_" + row.text(i++), &state))
		risk->set_state(state);
	if (v1::Disposition_Parse("DISPOSITION_" + row.text(i++), &disposition))
		risk->set_disposition(disposition);
	row.uuids(i++, risk->mutable_asset_ids());
	row.uuids(i++, risk->mutable_threat_ids());
	row.uuids(i++, risk->mutable_vulnerability_ids());
	fill_score(risk->mutable_inherent(), row, i);
	fill_score(risk->mutable_current(), row, i + 3);
	fill_score(risk->mutable_target(), row, i + 6);
	risk->set_method_id(row.uuid(i + 9));
	TIME(row, i + 10, v1::Risk, risk, accepted_until);
	risk->set_tolerance((v1::RiskLevel)row.number(i + 11));
	risk->set_uncovered(row.number(i + 12) != 0);
}

void fill_request(v1::ApprovalRequest *request, const PGresult *result,
		  const std::vector<int> &columns)
{
	Row row(result, 0, columns);
	int i = FIRST_OWN;
	v1::SubjectKind kind;
	v1::ApprovalState state;
	fill_meta(request->mutable_meta(), row);
	request->set_scope_id(row.uuid(i++));
	if (v1::SubjectKind_Parse("SUBJECT_KIND_" + row.text(i++), &kind))
		request->set_subject_kind(kind);
	request->set_subject_id(row.uuid(i++));
	request->set_subject_ref(row.text(i++));
	request->set_subject_version(row.number(i++));
	request->set_risk_id(row.uuid(i++));
	request->set_risk_version(row.number(i++));
	request->set_level((v1::RiskLevel)row.number(i++));
	if (v1::ApprovalState_Parse("APPROVAL_STATE_" + row.text(i++), &state))
		request->set_state(state);
	request->set_current_step((int32_t)row.number(i++));
	request->set_requested_by(row.uuid(i++));
	request->set_requested_by_person(row.uuid(i++));
	row.uuids(i++, request->mutable_contributor_persons());
	request->set_snapshot_sha256(row.text(i++));
	request->set_policy_id(row.uuid(i++));
	request->set_policy_no((int32_t)row.number(i++));
	request->mutable_steps()->ParseFromString(row.text(i++));
	TIME(row, i, v1::ApprovalRequest, request, closed_at);
	request->set_close_reason(row.text(i + 1));
}
