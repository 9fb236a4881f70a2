#include "client/last_words.h"

#include "smtp/outcome.h"

#include <stdio.h>
#include <string.h>

const char *
words_own(const char *text)
{
	return strstr(text, TRUST_COMMAND) != NULL ? "" : "blackpony: ";
}

const char *
words_why(const struct call *c, enum ending end)
{
	static char text[TRUST_TEXT_MAX + 210];
	const char *host = c->told != NULL ? c->told->name : c->hosts->at[0].name;
	const char *why = end == END_NOT_REACHED ? c->why : ending_row(end)->text;

	if ((end == END_TRUST || end == END_MUST) && c->judge.trust.text[0] != '\0')
		why = c->judge.trust.text;
	/* a command names the host, and is to be seen whole */
	if (strstr(why, TRUST_COMMAND) != NULL)
		return why;
	snprintf(text, sizeof(text), "%.200s: %s", host, why);
	return text;
}

void
words_reply(char text[WORDS_REPLY_MAX], const struct call *c, enum ending end)
{
	const char *why = words_why(c, end);
	struct span said = reply_last_line(&c->greeting);
	unsigned code = c->greeting.code;
	bool refused = end == END_GREETED_LATER || end == END_GREETED_NEVER || end == END_REFUSED_LATER;

	/* a 5yz costs the message, and so has to be every host's word */
	if (refused && ((code >= 400 && code < 500) || (code >= 500 && c->refused_only)))
		snprintf(text, WORDS_REPLY_MAX, "%.*s", (int)said.len, (const char *)said.at);
	else if (refused && said.len > 4)
		snprintf(text, WORDS_REPLY_MAX, "421 4.3.2 blackpony: %.200s said %.*s", c->told->name,
		    (int)said.len, (const char *)said.at);
	else
		snprintf(text, WORDS_REPLY_MAX, "421 %s %s%.480s", ending_row(end)->status, words_own(why), why);
}
