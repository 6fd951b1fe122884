/* A password is compared with common ones after its letters are lowered and
 * everything that is neither letter nor digit is left out, so that "Password-
 * Password" is the same as "passwordpassword". Texts are UTF-8 by the time they
 * come here. */
#include "server/domain/password_policy.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	SKELETON_MAX = PASSWORD_MAX * 4 + 1,
	LOCAL_PART_MIN = 4,
	DIFFERENT_MIN = 5,
	REPEATED_UNIT_MAX = 12,
	RUN_MIN = 4,
};

/* Sorted, at least PASSWORD_MIN letters and digits each. */
static const char *const common[] = {
	"0987654321098765",       "112233445566778899",
	"12345678910111213",      "123456789123456789",
	"123456789abcdefg",       "1234qwerasdfzxcv",
	"1a2b3c4d5e6f7g8h",       "1q2w3e4r5t6y7u8i",
	"1q2w3e4r5t6y7u8i9o0p",   "1qaz2wsx3edc4rfv",
	"1qaz2wsx3edc4rfv5tgb",   "987654321987654321",
	"a1b2c3d4e5f6g7h8",       "abc123abc123abc123",
	"abcd1234abcd1234",       "abcdefgh12345678",
	"abcdefghijklmnop",       "abracadabra12345",
	"admin1234567890",        "admin12345678910",
	"adminadmin123456",       "adminadminadmin",
	"administrator123",       "administrator1234",
	"administratoradmin",     "artificialintelligence",
	"asdfghjkl1234567",       "asdfghjklasdfghjkl",
	"averylongpassword",      "averysecurepassword",
	"averystrongpassword",    "averyverylongpassword",
	"azertyuiopqsdfgh",       "barcelonabarcelona",
	"baseballbaseball",       "batmanbatmanbatman",
	"blinkblinkblink182",     "changeitchangeit",
	"changeme12345678",       "changemechangeme",
	"chatgptchatgptchatgpt",  "christopher12345",
	"company123456789",       "computercomputer",
	"correcthorsebattery",    "correcthorsebatterystaple",
	"cybersecurity123",       "defaultpassword",
	"defaultpassword1",       "donttellanybody",
	"donttellanyone1",        "dragon1234567890",
	"dragondragondragon",     "elizabethelizabeth",
	"fifteencharacters",      "football12345678",
	"footballfootball",       "happybirthdaytoyou",
	"happynewyear2024",       "happynewyear2025",
	"happynewyear2026",       "hunter2hunter2hunter2",
	"icantremember123",       "idontknowmypassword",
	"iforgotmypassword",      "iforgotthepassword",
	"iloveyou12345678",       "iloveyouforever",
	"iloveyouiloveyou",       "iloveyousomuch123",
	"informationsecurity",    "informationsecurity1",
	"internetinternet",       "iso27001iso27001",
	"january123456789",       "jenniferjennifer",
	"letmein123456789",       "letmeinplease123",
	"liverpoolliverpool",     "longpasswordlongpassword",
	"machinelearning123",     "manchesterunited",
	"manchesterunited1",      "maytheforce12345",
	"maytheforcebewith",      "maytheforcebewithyou",
	"merrychristmas123",      "michaelmichael1",
	"mnbvcxzlkjhgfdsa",       "monkeymonkeymonkey",
	"mustangmustang1",        "mypasswordis1234",
	"mypasswordispassword",   "mysupersecretpassword",
	"nobodyknowsthis",        "notapasswordatall",
	"onetwothreefour",        "onetwothreefourfive",
	"opensesameopensesame",   "openthedoorplease",
	"passw0rdpassw0rd",       "password12345678",
	"password123456789",      "password1234567890",
	"passwordpassword",       "pleasechangeme123",
	"poiuytrewqlkjhgfdsa",    "pokemonpokemonpokemon",
	"princessprincess",       "qazwsxedcrfvtgb",
	"qazwsxedcrfvtgbyhnujm",  "qwerty1234567890",
	"qwertyqwertyqwerty",     "qwertyuiop123456",
	"qwertyuiop1234567890",   "qwertyuiopasdfgh",
	"qwertyuiopasdfghjkl",    "qwertyuiopasdfghjklzxcvbnm",
	"qwertzuiopasdfgh",       "realmadridrealmadrid",
	"rootpassword1234",       "rootrootrootroot",
	"secretpassword1",        "secretsecretsecret",
	"securepassword123",      "securitysecurity",
	"springsummer2025",       "starwarsstarwars",
	"strongpassword123",      "summer2025summer2025",
	"sunshine12345678",       "sunshinesunshine",
	"supercalifragilistic",   "supercalifragilisticexpialidocious",
	"supermansuperman",       "supersecretpassword",
	"superuserpassword",      "temporarypassword",
	"temppassword1234",       "testing123456789",
	"testpassword1234",       "testtesttesttest",
	"thequickbrownfox",       "thequickbrownfoxjumpsoverthelazydog",
	"thisisapassword",        "thisismypassword",
	"thisismysecretpassword", "thisisnotapassword",
	"tobeornottobe123",       "tobeornottobethatisthequestion",
	"topsecretpassword",      "trustno1trustno1",
	"trustno1trustno2",       "welcome123456789",
	"welcome2thejungle",      "welcometothejungle",
	"welcomewelcome1",        "whateverwhatever",
	"winter2025winter2025",   "winteriscoming123",
	"yourpasswordhere",       "zaq12wsxcde34rfv",
	"zxcvbnmasdfghjkl",       "zxcvbnmzxcvbnm123",
};

/* Rows of keyboards and alphabets, walked either way. */
static const char *const rows[] = {
	"01234567890", "abcdefghijklmnopqrstuvwxyz",
	"qwertyuiop",  "asdfghjkl",
	"zxcvbnm",     "qwertzuiop",
	"yxcvbnm",     "azertyuiop",
	"qsdfghjklm",  "wxcvbn",
};

static size_t characters(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Letters and digits, lowered; bytes of other characters as they are. */
static size_t skeleton(char out[SKELETON_MAX], const char *text)
{
	size_t n = 0;
	for (; *text != '\0' && n + 1 < SKELETON_MAX; text++) {
		unsigned char c = (unsigned char)*text;
		if (c >= 0x80 || isalnum(c))
			out[n++] = (char)(c < 0x80 ? tolower(c) : c);
	}
	out[n] = '\0';
	return n;
}

static int compare(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

static bool is_common(const char *text)
{
	return bsearch(text, common, sizeof(common) / sizeof(common[0]), sizeof(common[0]),
		       compare) != NULL;
}

/* The same few characters over and over, as "xyzxyzxyzxyzxyz". */
static bool is_repeated(const char *text, size_t len)
{
	for (size_t unit = 1; unit <= REPEATED_UNIT_MAX && unit * 2 <= len; unit++)
		if (memcmp(text, text + unit, len - unit) == 0)
			return true;
	return false;
}

static bool has_few_characters(const char *text)
{
	bool seen[256] = { false };
	size_t n = 0;
	for (; *text != '\0'; text++) {
		n += !seen[(unsigned char)*text];
		seen[(unsigned char)*text] = true;
	}
	return n < DIFFERENT_MIN;
}

/* Whether b follows a in some row, in the direction. */
static bool follows(char a, char b, int direction)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (const char *at = strchr(rows[i], a); at != NULL; at = strchr(at + 1, a))
			if ((direction > 0 || at > rows[i]) && at[direction] == b)
				return true;
	return false;
}

/* Only runs along rows, as "12345678abcdefgh" or "qwertyuiop09876". */
static bool is_runs(const char *text, size_t len)
{
	size_t at = 0;
	while (at < len) {
		size_t longest = 1;
		for (int direction = -1; direction <= 1; direction += 2) {
			size_t run = 1;
			while (at + run < len &&
			       follows(text[at + run - 1], text[at + run], direction))
				run++;
			if (run > longest)
				longest = run;
		}
		if (longest < RUN_MIN)
			return false;
		at += longest;
	}
	return true;
}

static bool has_local_part(const char *text, const char *email)
{
	char local[SKELETON_MAX], part[SKELETON_MAX];
	size_t len = strcspn(email, "@");
	if (len >= sizeof(local))
		return false;
	memcpy(local, email, len);
	local[len] = '\0';
	return skeleton(part, local) >= LOCAL_PART_MIN && strstr(text, part) != NULL;
}

const char *password_policy_fault(const char *password, const char *email)
{
	size_t n = characters(password);
	if (n < PASSWORD_MIN)
		return "must have at least 15 characters";
	if (n > PASSWORD_MAX)
		return "must have at most 128 characters";
	char text[SKELETON_MAX];
	size_t len = skeleton(text, password);
	if (has_few_characters(password) || is_repeated(password, strlen(password)) ||
	    is_repeated(text, len))
		return "must not repeat a few characters";
	if (len >= RUN_MIN && is_runs(text, len))
		return "must not be a row of the alphabet or the keyboard";
	if (is_common(text))
		return "must not be a commonly used one";
	if (has_local_part(text, email))
		return "must not contain the e-mail address";
	return NULL;
}
