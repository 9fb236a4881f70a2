#include "client/last_words.h"

#include "smtp/outcome.h"

#include <stdio.h>
#include <string.h>

const char *
words_own(const char *text)
{
	return strstr(text, POLICY_COMMAND) != NULL ? "" : "blackpony: ";
}

const char *
words_why(const struct attempt *c, enum outcome end)
{
	static char text[POLICY_TEXT_MAX + 210];
	const char *host = c->alerted != NULL ? c->alerted->name : c->hosts->at[0].name;
	const char *why = end == OUTCOME_NOT_REACHED ? c->why : outcome_row(end)->text;

	if ((end == OUTCOME_NOT_TRUSTED || end == OUTCOME_NOT_ENCRYPTED ||
	    end == OUTCOME_NOT_PERMITTED) && c->refusal[0] != '\0')
		why = c->refusal;
	/* a command names the host, and must not be cut off */
	if (strstr(why, POLICY_COMMAND) != NULL)
		return why;
	snprintf(text, sizeof(text), "%.200s: %s", host, why);
	return text;
}

void
words_reply(char text[WORDS_REPLY_MAX], const struct attempt *c, enum outcome end)
{
	const char *why = words_why(c, end);
	struct span said = reply_last_line(&c->greeting);
	unsigned code = c->greeting.code;
	bool refused = end == OUTCOME_GREETED_LATER || end == OUTCOME_GREETED_NEVER ||
	    end == OUTCOME_REFUSED_LATER;

	/* a 5yz bounces the message, so it is passed on only if every host said it */
	if (refused && ((code >= 400 && code < 500) || (code >= 500 && c->refused_only)))
		snprintf(text, WORDS_REPLY_MAX, "%.*s", (int)said.len, (const char *)said.at);
	else if (refused && said.len > 4)
		snprintf(text, WORDS_REPLY_MAX, "421 4.3.2 blackpony: %.200s said %.*s",
		    c->alerted->name, (int)said.len, (const char *)said.at);
	else
		snprintf(text, WORDS_REPLY_MAX, "421 %s %s%.480s", outcome_row(end)->status,
		    words_own(why), why);
}
