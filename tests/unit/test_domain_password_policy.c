#include <string.h>

#include "server/domain/password_policy.h"
#include "tests/unit/tap.h"

static const char email[] = "alex.owner@example.org";

static bool good(const char *password)
{
	return password_policy_fault(password, email) == NULL;
}

TEST(length_counts_characters)
{
	CHECK(!good("Gv7 kp Wq2 zxn")); /* 14 */
	CHECK(good("Gv7 kp Wq2 zxnb")); /* 15 */
	CHECK(!good("grün über Öl ä")); /* 14 characters, more bytes */
	CHECK(good("grün über Öl äx"));
	char text[PASSWORD_MAX + 2];
	for (size_t i = 0; i <= PASSWORD_MAX; i++)
		text[i] = "Tz5kWq9vBn3mXr7pLd2gHs4j"[(i * i + i / 5) % 24];
	text[PASSWORD_MAX + 1] = '\0';
	CHECK(!good(text));
	text[PASSWORD_MAX] = '\0';
	CHECK(good(text));
}

TEST(common_passwords_are_refused_in_any_spelling)
{
	CHECK(!good("correcthorsebatterystaple"));
	CHECK(!good("Correct-Horse Battery.Staple"));
	CHECK(!good("ILoveYou12345678"));
	CHECK(!good("1q2w3e4r5t6y7u8i"));
	CHECK(!good("winteriscoming123"));
	CHECK(!good("Administrator-Admin"));
	CHECK(good("correct horse battery stapler"));
}

TEST(patterns_are_refused)
{
	CHECK(!good("aaaaaaaaaaaaaaaaaaaa"));
	CHECK(!good("abababababababababab"));
	CHECK(!good("x7!x7!x7!x7!x7!x7!"));
	CHECK(!good("moonlight-moonlight"));
	CHECK(!good("123456789012345"));
	CHECK(!good("zyxwvutsrqponmlk"));
	CHECK(!good("qwertyuiop0987654"));
	CHECK(!good("abcdefgh-12345678"));
	CHECK(good("asdf river zxcv lamps 0987"));
	CHECK(good("seven lamps by the river"));
}

TEST(the_address_is_not_part_of_it)
{
	CHECK(!good("my name is Alex Owner!"));
	CHECK(!good("ALEX.OWNER likes tea"));
	CHECK(good("owners like green tea"));
	/* a short local part would refuse too much */
	CHECK(password_policy_fault("seven lamps by the river", "sev@example.org") == NULL);
}

TAP_MAIN
