// Rows of the database as messages, for the peer; values are in binary.
#ifndef ISMS_BENCH_PEER_ROWS_HH
#define ISMS_BENCH_PEER_ROWS_HH

#include <libpq-fe.h>

#include <cstdint>
#include <string>
#include <vector>

#include "isms/v1/approval.pb.h"
#include "isms/v1/risk.pb.h"

[[noreturn]] void die(const std::string &what);

std::string from_hex(const std::string &hex);
// Sixteen bytes; none when the text is no uuid.
std::string uuid_bytes(const std::string &text);
std::string base64_of(const std::string &in);
std::string base64_bytes(const std::string &in);

// Where the columns stand that a message is filled from.
std::vector<int> risk_columns(const PGresult *result);
std::vector<int> request_columns(const PGresult *result);

void fill_risk(isms::v1::Risk *risk, const PGresult *result, int row,
	       const std::vector<int> &columns);
void fill_request(isms::v1::ApprovalRequest *request, const PGresult *result,
		  const std::vector<int> &columns);

#endif
