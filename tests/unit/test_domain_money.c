#include "server/domain/money.h"

#include "tests/unit/tap.h"

TEST(an_amount_is_a_plain_decimal_number)
{
	static const char *const right[] = { "0",     "0.5",        "7",
					     "12.50", "1500000.00", "99999999999999.9999" };
	static const char *const wrong[] = {
		"",        "-1",   "+1",       "1,000",
		"1.",      ".5",   "00",       "01",
		"1e6",     " 1",   "1 ",       "0x10",
		"1.2.3",   "EUR",  "1 000",    "100000000000000",
		"1.00000", "1.-5", "infinity", "\xd9\xa1",
	};
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		if (!CHECK(money_amount_valid(right[i])))
			printf("# %s\n", right[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!CHECK(!money_amount_valid(wrong[i])))
			printf("# %s\n", wrong[i]);
}

TEST(a_currency_is_three_capital_letters)
{
	CHECK(money_currency_valid("EUR"));
	CHECK(money_currency_valid("JPY"));
	CHECK(!money_currency_valid(""));
	CHECK(!money_currency_valid("eur"));
	CHECK(!money_currency_valid("EU"));
	CHECK(!money_currency_valid("EURO"));
	CHECK(!money_currency_valid("E1R"));
}

TAP_MAIN
