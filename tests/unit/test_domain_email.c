#include "server/domain/email.h"
#include "tests/unit/domain_case.h"

TEST(spellings_of_one_address_are_one)
{
	struct domain_case c;
	case_begin(&c);
	CHECK_STR(email_canonical("Alex.Owner@Example.ORG", c.arena), "alex.owner@example.org");
	CHECK_STR(email_canonical(" \talex.owner@example.org\n ", c.arena),
		  "alex.owner@example.org");
	CHECK_STR(email_canonical("", c.arena), "");
	CHECK_STR(email_canonical("   ", c.arena), "");
	case_end(&c);
}

TEST(what_is_an_address)
{
	CHECK(email_valid("a@b"));
	CHECK(email_valid("alex.owner+risk@example.org"));
	CHECK(!email_valid(""));
	CHECK(!email_valid("alex"));
	CHECK(!email_valid("@example.org"));
	CHECK(!email_valid("alex@"));
	CHECK(!email_valid("alex@example@org"));
	CHECK(!email_valid("alex owner@example.org"));
	CHECK(!email_valid("Alex@example.org"));
	CHECK(!email_valid("al\xc3\xa9x@example.org"));
	CHECK(!email_valid("alex\x7f@example.org"));
}

TAP_MAIN
