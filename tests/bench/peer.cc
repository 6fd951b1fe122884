// A peer to compare with: the same three calls as a C++ programmer would serve them
// with stock gRPC: callback API, TLS, a pool of threads with a libpq connection each,
// one pipeline batch for each phase of a call, values in binary.
//
// It authenticates nobody, checks nothing but that the request is pending, and makes
// up the contents of what a vote writes; the statements and the sizes of their
// parameters are those of the server that it is compared with (see recipe.py).
//
// usage: peer CERTIFICATE KEY CONNECTIONS RECIPE CONNINFO; prints "listening PORT"
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <libpq-fe.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "isms/v1/approval.grpc.pb.h"
#include "isms/v1/risk.grpc.pb.h"
#include "tests/bench/peer_rows.hh"

using google::protobuf::Timestamp;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using grpc::Status;
using grpc::StatusCode;
namespace v1 = isms::v1;

static const int64_t FIRST = 100000000000; // the number of copy 0, in decimal digits

// --- the recipe ---------------------------------------------------------------

struct Param {
	enum { NOTHING, CONSTANT, ID, NUMBER, PAGE } kind;
	std::string value; // text; of ID the uuid with its last twelve digits 0
	bool by_owner;
};

struct Statement {
	std::string name, sql;
	std::vector<Param> params;
};

struct Operation {
	std::vector<Statement> load, commit;
};

static int64_t owners = 1;
static std::map<std::string, Operation> recipe;

static Param read_param(std::istream &line)
{
	Param param = { Param::NOTHING, "", false };
	std::string kind, value;
	line >> kind >> value;
	if (kind == "text")
		param = { Param::CONSTANT, from_hex(value), false };
	else if (kind == "id" || kind == "owner_id")
		param = { Param::ID, uuid_bytes(value), kind == "owner_id" };
	else if (kind == "number")
		param.kind = Param::NUMBER;
	else if (kind == "page")
		param.kind = Param::PAGE;
	else if (kind != "null")
		die("a parameter of unknown kind");
	return param;
}

static void read_recipe(const char *path)
{
	std::ifstream file(path);
	std::string text, word, operation, phase, sql;
	std::vector<Statement> *into = nullptr;
	while (std::getline(file, text)) {
		std::istringstream line(text);
		line >> word;
		if (word == "owners") {
			line >> owners;
		} else if (word == "statement") {
			Statement statement;
			line >> operation >> phase >> statement.name >> sql;
			statement.sql = from_hex(sql);
			Operation &op = recipe[operation];
			into = phase == "load" ? &op.load : &op.commit;
			into->push_back(statement);
		} else if (word == "param" && into != nullptr) {
			into->back().params.push_back(read_param(line));
		} else {
			die("the recipe cannot be read");
		}
	}
	if (recipe.empty())
		die("there is no recipe");
}

// --- values -------------------------------------------------------------------

// The number of a copy: the last twelve digits of its ids.
static int64_t number_of(const std::string &id)
{
	return id.size() == 36 ? strtoll(id.c_str() + 24, nullptr, 10) : -1;
}

static void put_number(char *bytes, int64_t number)
{
	for (int i = 15; i >= 10; i--) {
		bytes[i] = (char)(number % 10 | (number / 10 % 10) << 4);
		number /= 100;
	}
}

// --- the pool -----------------------------------------------------------------

struct Clear {
	void operator()(PGresult *result) const
	{
		PQclear(result);
	}
};
using Result = std::unique_ptr<PGresult, Clear>;

class Connection
{
      public:
	explicit Connection(const char *conninfo) : conn(PQconnectdb(conninfo))
	{
		if (PQstatus(conn) != CONNECTION_OK)
			die(PQerrorMessage(conn));
		own = recipe;
		for (auto &entry : own) {
			prepare(entry.first, &entry.second.load);
			prepare(entry.first, &entry.second.commit);
		}
		if (PQenterPipelineMode(conn) != 1)
			die("no pipeline");
	}
	Operation &operation(const char *name)
	{
		return own[name];
	}
	// One batch; true when every statement succeeded.
	bool run(const std::vector<Statement> &statements, int64_t number, const std::string &page,
		 std::vector<Result> *out)
	{
		char ids[40][16];
		for (const Statement &statement : statements) {
			const char *values[40];
			int lengths[40], formats[40];
			for (size_t i = 0; i < statement.params.size(); i++) {
				const Param &param = statement.params[i];
				formats[i] = 1;
				values[i] = param.value.data();
				lengths[i] = (int)param.value.size();
				if (param.kind == Param::NOTHING ||
				    (param.kind == Param::PAGE && page.empty()))
					values[i] = nullptr;
				if (param.kind == Param::PAGE && !page.empty()) {
					values[i] = page.data();
					lengths[i] = 16;
				}
				if (param.kind == Param::NUMBER) {
					for (int byte = 0; byte < 8; byte++)
						ids[i][byte] = (char)(number >> (56 - 8 * byte));
					values[i] = ids[i];
					lengths[i] = 8;
				}
				if (param.kind != Param::ID)
					continue;
				memcpy(ids[i], param.value.data(), 16);
				put_number(ids[i], param.by_owner
							   ? FIRST + (number - FIRST) % owners
							   : number);
				values[i] = ids[i];
			}
			if (PQsendQueryPrepared(conn, statement.name.c_str(),
						(int)statement.params.size(), values, lengths,
						formats, 1) != 1)
				die(PQerrorMessage(conn));
		}
		if (PQpipelineSync(conn) != 1)
			die(PQerrorMessage(conn));
		return collect(out);
	}

	std::vector<int> of_risk, of_request;

      private:
	bool collect(std::vector<Result> *out)
	{
		bool good = true, synced = false;
		while (!synced) {
			Result result(PQgetResult(conn));
			if (!result)
				continue;
			ExecStatusType status = PQresultStatus(result.get());
			synced = status == PGRES_PIPELINE_SYNC;
			if (synced)
				break;
			if (PQstatus(conn) == CONNECTION_BAD)
				die("the database has hung up");
			good = good && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK);
			out->push_back(std::move(result));
		}
		return good;
	}
	Result execute(const std::string &sql, const char *value, int format)
	{
		Result result(PQexecParams(conn, sql.c_str(), value == nullptr ? 0 : 1, nullptr,
					   &value, nullptr, nullptr, format));
		if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
			die(PQerrorMessage(conn));
		return result;
	}
	// Constants are turned into binary by the database itself.
	void prepare(const std::string &operation, std::vector<Statement> *statements)
	{
		for (Statement &statement : *statements) {
			statement.name = operation + "_" + statement.name;
			Result made(PQprepare(conn, statement.name.c_str(), statement.sql.c_str(),
					      0, nullptr));
			if (PQresultStatus(made.get()) != PGRES_COMMAND_OK)
				die(PQerrorMessage(conn));
			Result types(PQdescribePrepared(conn, statement.name.c_str()));
			if (PQnparams(types.get()) != (int)statement.params.size() ||
			    statement.params.size() > 40)
				die(statement.name + " has other parameters");
			for (size_t i = 0; i < statement.params.size(); i++) {
				Param &param = statement.params[i];
				if (param.kind != Param::CONSTANT)
					continue;
				std::string oid = std::to_string(PQparamtype(types.get(), (int)i));
				Result type = execute("SELECT format_type(" + oid + ", NULL)",
						      nullptr, 0);
				std::string name = PQgetvalue(type.get(), 0, 0);
				Result value =
					execute("SELECT $1::" + name, param.value.c_str(), 1);
				param.value.assign(PQgetvalue(value.get(), 0, 0),
						   (size_t)PQgetlength(value.get(), 0, 0));
			}
		}
	}

	PGconn *conn;
	std::map<std::string, Operation> own;
};

using Job = std::function<void(Connection *)>;
static std::mutex lock;
static std::condition_variable ready;
static std::deque<Job> jobs;

static void submit(Job job)
{
	{
		std::lock_guard<std::mutex> hold(lock);
		jobs.push_back(std::move(job));
	}
	ready.notify_one();
}

static void work(Connection *connection)
{
	for (;;) {
		std::unique_lock<std::mutex> hold(lock);
		ready.wait(hold, [] { return !jobs.empty(); });
		Job job = std::move(jobs.front());
		jobs.pop_front();
		hold.unlock();
		job(connection);
	}
}

// --- the calls ----------------------------------------------------------------

static Status get_risk(Connection *connection, const v1::GetRiskRequest *request,
		       v1::GetRiskResponse *reply)
{
	std::vector<Result> results;
	if (!connection->run(connection->operation("R").load, number_of(request->id()), "",
			     &results))
		return Status(StatusCode::INTERNAL, "the database refused");
	if (PQntuples(results[0].get()) == 0)
		return Status(StatusCode::NOT_FOUND, "there is no such object");
	if (connection->of_risk.empty())
		connection->of_risk = risk_columns(results[0].get());
	fill_risk(reply->mutable_risk(), results[0].get(), 0, connection->of_risk);
	return Status::OK;
}

static Status list_risks(Connection *connection, const v1::ListRisksRequest *request,
			 v1::ListRisksResponse *reply)
{
	std::vector<Result> results;
	std::string key = base64_bytes(request->page_token());
	if (!connection->run(connection->operation("L").load, FIRST, key, &results))
		return Status(StatusCode::INTERNAL, "the database refused");
	if (connection->of_risk.empty())
		connection->of_risk = risk_columns(results[0].get());
	int n = PQntuples(results[0].get());
	for (int i = 0; i < n && i < request->page_size(); i++)
		fill_risk(reply->add_risks(), results[0].get(), i, connection->of_risk);
	if (n > request->page_size()) {
		const v1::Risk &last = reply->risks(request->page_size() - 1);
		reply->set_next_page_token(
			base64_of(uuid_bytes(last.meta().id()) + std::string(16, '\0')));
	}
	return Status::OK;
}

static Timestamp *now(Timestamp *out)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	out->set_seconds(time.tv_sec);
	out->set_nanos((int32_t)time.tv_nsec);
	return out;
}

static void fill_vote(v1::CastVoteResponse *reply, const v1::CastVoteRequest *request)
{
	v1::ApprovalRequest *decided = reply->mutable_request();
	v1::ApprovalVote *vote = reply->mutable_vote();
	vote->set_id(decided->meta().id());
	vote->set_step_no(request->step_no());
	vote->set_voter_id(decided->requested_by());
	vote->set_voter_person(decided->requested_by_person());
	vote->set_voter_name("owner");
	vote->set_decision(request->decision());
	vote->set_comment(request->comment());
	vote->set_snapshot_sha256(request->snapshot_sha256());
	now(vote->mutable_at());
	decided->mutable_meta()->set_version(decided->meta().version() + 1);
	now(decided->mutable_meta()->mutable_updated_at());
	decided->set_state(v1::APPROVAL_STATE_APPROVED);
	decided->set_current_step(0);
	now(decided->mutable_closed_at());
	decided->set_close_reason("approved");
}

static Status cast_vote(Connection *connection, const v1::CastVoteRequest *request,
			v1::CastVoteResponse *reply)
{
	const Operation &operation = connection->operation("W");
	int64_t number = number_of(request->request_id());
	std::vector<Result> loaded, committed;
	if (!connection->run(operation.load, number, "", &loaded))
		return Status(StatusCode::INTERNAL, "the database refused");
	for (size_t i = 0; i < operation.load.size(); i++) {
		const PGresult *result = loaded[i].get();
		if (operation.load[i].name != "W_vote_request" || PQntuples(result) != 1)
			continue;
		if (connection->of_request.empty())
			connection->of_request = request_columns(result);
		fill_request(reply->mutable_request(), result, connection->of_request);
	}
	if (reply->request().state() != v1::APPROVAL_STATE_PENDING)
		return Status(StatusCode::FAILED_PRECONDITION, "the request is closed");
	if (!connection->run(operation.commit, number, "", &committed))
		return Status(StatusCode::ABORTED, "the change was not committed");
	fill_vote(reply, request);
	return Status::OK;
}

template <class Request, class Reply>
static ServerUnaryReactor *serve(CallbackServerContext *context, const Request *request,
				 Reply *reply,
				 Status (*call)(Connection *, const Request *, Reply *))
{
	ServerUnaryReactor *reactor = context->DefaultReactor();
	submit([=](Connection *connection) { reactor->Finish(call(connection, request, reply)); });
	return reactor;
}

struct Risks final : v1::RiskService::CallbackService {
	ServerUnaryReactor *GetRisk(CallbackServerContext *context,
				    const v1::GetRiskRequest *request,
				    v1::GetRiskResponse *reply) override
	{
		return serve(context, request, reply, get_risk);
	}
	ServerUnaryReactor *ListRisks(CallbackServerContext *context,
				      const v1::ListRisksRequest *request,
				      v1::ListRisksResponse *reply) override
	{
		return serve(context, request, reply, list_risks);
	}
};

struct Approvals final : v1::ApprovalService::CallbackService {
	ServerUnaryReactor *CastVote(CallbackServerContext *context,
				     const v1::CastVoteRequest *request,
				     v1::CastVoteResponse *reply) override
	{
		return serve(context, request, reply, cast_vote);
	}
};

static std::string slurp(const char *path)
{
	std::ifstream file(path);
	std::stringstream out;
	out << file.rdbuf();
	if (out.str().empty())
		die(std::string("cannot read ") + path);
	return out.str();
}

int main(int argc, char **argv)
{
	if (argc != 6)
		die("usage: peer CERTIFICATE KEY CONNECTIONS RECIPE CONNINFO");
	read_recipe(argv[4]);
	for (int i = 0; i < std::stoi(argv[3]); i++)
		std::thread(work, new Connection(argv[5])).detach();
	Risks risks;
	Approvals approvals;
	int port = 0;
	grpc::SslServerCredentialsOptions tls;
	tls.pem_key_cert_pairs.push_back({ slurp(argv[2]), slurp(argv[1]) });
	grpc::EnableDefaultHealthCheckService(true);
	grpc::ServerBuilder builder;
	builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port);
	builder.RegisterService(&risks);
	builder.RegisterService(&approvals);
	builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1024);
	std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
	if (!server || port == 0)
		die("cannot listen");
	printf("listening %d\n", port);
	fflush(stdout);
	server->Wait();
	return 0;
}
