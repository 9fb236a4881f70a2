#include "store/journal.h"

#include "base/octets.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHECKED_MAX (256u << 10)	/* octets to verify; takes a few milliseconds */

bool
journal_next(struct span *rest, struct entry *entry)
{
	if (rest->len < JOURNAL_HEAD_LEN)
		return false;
	size_t len = octets_get32(rest->at), key_len = octets_get16(rest->at + 4);
	if (len > rest->len - 4 || len < 2 + key_len ||
	    !entry_plausible(key_len, len - 2 - key_len))
		return false;
	entry->key = span(rest->at + JOURNAL_HEAD_LEN, key_len);
	entry->sealed = span(entry->key.at + key_len, len - 2 - key_len);
	*rest = span_from(*rest, 4 + len);
	return true;
}

size_t
journal_measure(struct span journal, size_t *count)
{
	struct span rest = journal;
	struct entry entry;

	for (*count = 0; journal_next(&rest, &entry); )
		++*count;
	return journal.len - rest.len;
}

bool
journal_has_record(struct span end)
{
	struct entry entry;
	struct span value;
	size_t checked = 0;

	for (size_t at = 1; at < end.len && checked < CHECKED_MAX; at++) {
		struct span rest = span_from(end, at);

		if (!journal_next(&rest, &entry))
			continue;
		if (entry_open(&value, entry.key, entry.sealed))
			return true;
		checked += entry.key.len + entry.sealed.len;
	}
	return checked >= CHECKED_MAX;
}

bool
journal_find(struct span journal, struct span key, struct entry *entry)
{
	struct entry each;
	bool found = false;

	while (journal_next(&journal, &each))
		if (span_equal(each.key, key)) {
			*entry = each;
			found = true;
		}
	return found;
}

size_t
journal_format(uint8_t *out, struct span key, struct span value)
{
	size_t len = 2 + key.len + ENTRY_CHECK_LEN + value.len;

	assert(entry_plausible(key.len, ENTRY_CHECK_LEN + value.len));
	octets_put32(out, (uint32_t)len);
	octets_put16(out + 4, (uint16_t)key.len);
	memcpy(out + JOURNAL_HEAD_LEN, key.at, key.len);
	entry_check(out + JOURNAL_HEAD_LEN + key.len, key, value);
	if (value.len > 0)
		memcpy(out + JOURNAL_HEAD_LEN + key.len + ENTRY_CHECK_LEN, value.at, value.len);
	return 4 + len;
}

int
journal_append(int fd, size_t end, struct span record)
{
	ssize_t written = write(fd, record.at, record.len);
	int why = written < 0 ? errno : ENOSPC;

	if (written >= 0 && (size_t)written == record.len)
		return 0;
	/* if this fails too, the next append cuts the fragment off */
	if (written > 0 && ftruncate(fd, (off_t)end) < 0)
		why = errno;
	errno = why;
	return -1;
}
