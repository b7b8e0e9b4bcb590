/* SPDX-License-Identifier: MIT */
/* Both stores through the same tests. */
#include "analyticsd/page_check.h"
#include "analyticsd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mem.h"
#include "tests/unit/unit.h"

static struct store *
sqlite_new(void)
{
	return store_sqlite_open(unit_directory());
}

static void
for_both(void (*test)(struct store *store))
{
	struct store *(*const make[])(void) = {store_memory_new, sqlite_new};

	for (size_t i = 0; i < ARRAY_SIZE(make); i++) {
		struct store *store = make[i]();
		test(store);
		store->ops->free(&store);
		CHECK(store == NULL);
	}
}

static struct store_row
row_of(int64_t seq, int64_t prev, const char *id, const char *record)
{
	return (struct store_row){.seq = seq,
	    .form = 5,
	    .prev = prev,
	    .id = (const uint8_t *)id,
	    .id_length = id != NULL ? strlen(id) : 0,
	    .record = (const uint8_t *)record,
	    .record_length = record != NULL ? strlen(record) : 0};
}

/* Rows to be inserted: `next`, and so on up to `end`. */
struct new_rows {
	const struct store_row *next, *end;
};

static const struct store_row *
next_row(void *owner)
{
	struct new_rows *new_rows = owner;

	return new_rows->next == new_rows->end ? NULL : new_rows->next++;
}

static int
insert_rows(struct store *store, const struct store_row *row, size_t count)
{
	struct new_rows new_rows = {.next = row, .end = row + count};

	return store->ops->insert_rows(store, next_row, &new_rows);
}

static void
insert(struct store *store, int64_t seq, const char *id, const char *record)
{
	struct store_row row = row_of(seq, seq - 1, id, record);

	CHECK(insert_rows(store, &row, 1) == 0);
}

static void
empty(struct store *store)
{
	struct store_row row;
	struct store_ends ends;
	struct store_form form;
	struct form_id id = {{1}};
	struct buf bytes;
	bool partial = false;

	buf_init(&bytes, 1000);
	CHECK_INT(store->ops->position(store, &bytes, &partial), 0);
	CHECK(!partial);
	CHECK_INT(store->ops->row_by_id(store, "a", 1, &row), 0);
	CHECK_INT(store->ops->row_by_seq(store, 1, &row), 0);
	CHECK_INT(store->ops->form(store, &id, &form, &bytes), 0);
	CHECK_INT(store->ops->form_by_number(store, 1, &form), 0);
	CHECK_INT(store->ops->greatest_id(store, &bytes), 0);
	CHECK_INT(store->ops->ends(store, &ends), 0);
	CHECK_INT(ends.last_seq, 0);
	CHECK_INT(ends.last_form, 0);
	CHECK_INT(ends.forms_seq, 0);
	buf_free(&bytes);
}

TEST(store_starts_empty)
{
	for_both(empty);
}

static void
rows(struct store *store)
{
	struct store_row row;
	struct store_ends ends;
	struct buf id;

	buf_init(&id, 1000);
	CHECK(store->ops->begin(store) == 0);
	insert(store, 1, "bb", "one");
	insert(store, 2, "ba", "");
	insert(store, 3, "a", "three");
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->row_by_id(store, "bb", 2, &row), 1);
	CHECK_INT(row.seq, 1);
	CHECK_INT(row.form, 5);
	CHECK_BYTES(row.record, row.record_length, "one", 3);
	CHECK_INT(store->ops->row_by_seq(store, 2, &row), 1);
	CHECK_BYTES(row.id, row.id_length, "ba", 2);
	CHECK_INT(row.prev, 1);
	CHECK(row.record != NULL);
	CHECK_INT(row.record_length, 0);
	CHECK_INT(store->ops->row_by_id(store, "b", 1, &row), 0);
	CHECK_INT(store->ops->greatest_id(store, &id), 1);
	CHECK_BYTES(buf_bytes(&id), buf_length(&id), "bb", 2);
	CHECK_INT(store->ops->ends(store, &ends), 0);
	CHECK_INT(ends.last_seq, 3);
	buf_free(&id);
}

TEST(store_finds_rows)
{
	for_both(rows);
}

static void
tombstones(struct store *store)
{
	struct store_row row;

	CHECK(store->ops->begin(store) == 0);
	insert(store, 1, "a", "one");
	insert(store, 2, "b", "two");
	CHECK(store->ops->commit(store) == 0);
	CHECK(store->ops->begin(store) == 0);
	row = row_of(1, 0, NULL, NULL);
	CHECK(store->ops->update_row(store, &row) == 0);
	row = row_of(2, 1, "b", "other");
	CHECK(store->ops->update_row(store, &row) == 0);
	/* The id is free again. */
	insert(store, 3, "a", "three");
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->row_by_id(store, "a", 1, &row), 1);
	CHECK_INT(row.seq, 3);
	CHECK_INT(store->ops->row_by_seq(store, 1, &row), 1);
	CHECK(row.id == NULL && row.record == NULL);
	CHECK_INT(store->ops->row_by_id(store, "b", 1, &row), 1);
	CHECK_BYTES(row.record, row.record_length, "other", 5);
	CHECK(store->ops->begin(store) == 0);
	CHECK(store->ops->delete_row(store, 1) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->row_by_seq(store, 1, &row), 0);
}

TEST(store_keeps_tombstones)
{
	for_both(tombstones);
}

static void
forms(struct store *store)
{
	struct store_form form = {
	    .number = 4, .id = {{9}}, .head = 7, .state_seq = -1, .updated_ms = 123};
	struct store_form got;
	struct buf state, read;

	buf_init(&state, 1000);
	buf_init(&read, 1000);
	CHECK(buf_append(&state, "state", 5) == 0);
	CHECK(store->ops->begin(store) == 0);
	CHECK(store->ops->put_form(store, &form, NULL) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->form(store, &form.id, &got, &read), 1);
	CHECK_INT(got.number, 4);
	CHECK_INT(got.state_seq, -1);
	CHECK_INT(got.updated_ms, 123);
	CHECK_INT(buf_length(&read), 0);
	form.state_seq = form.head = 8;
	CHECK(store->ops->begin(store) == 0);
	CHECK(store->ops->put_form(store, &form, &state) == 0);
	form.head = 9;
	/* The state that is there stays. */
	CHECK(store->ops->put_form(store, &form, NULL) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->form(store, &form.id, &got, &read), 1);
	CHECK_INT(got.head, 9);
	CHECK_INT(got.state_seq, 8);
	CHECK_BYTES(buf_bytes(&read), buf_length(&read), "state", 5);
	form.head = 10;
	form.state_seq = -1;
	form.updated_ms = 456;
	CHECK(store->ops->begin(store) == 0);
	CHECK(store->ops->extend_form(store, &form) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->form_by_number(store, 4, &got), 1);
	CHECK(form_id_equal(&got.id, &form.id));
	CHECK_INT(got.updated_ms, 456);
	CHECK_INT(got.head, 10);
	CHECK_INT(got.state_seq, 8);
	buf_free(&state);
	buf_free(&read);
}

TEST(store_keeps_forms)
{
	for_both(forms);
}

struct visited {
	int64_t until;
	char text[100];
};

static int
append_row(void *owner, const struct store_row *row)
{
	struct visited *visited = owner;
	size_t used = strlen(visited->text);

	snprintf(visited->text + used, sizeof(visited->text) - used, " %d:%.*s:%.*s", (int)row->seq,
	    (int)row->id_length, (const char *)row->id, (int)row->record_length,
	    (const char *)row->record);
	return row->seq < visited->until ? 0 : -1;
}

static void
row_visits(struct store *store)
{
	struct visited visited = {.until = 10};
	struct store_row row;

	CHECK_INT(store->ops->rows_after(store, 0, append_row, &visited), 0);
	CHECK_STRING(visited.text, "");
	CHECK(store->ops->begin(store) == 0);
	for (int seq = 1; seq <= 5; seq++)
		insert(store, seq, (char[]){(char)('a' + seq), '\0'}, "x");
	CHECK(store->ops->delete_row(store, 3) == 0);
	row = row_of(4, 1, NULL, NULL);
	CHECK(store->ops->update_row(store, &row) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->rows_after(store, 1, append_row, &visited), 0);
	CHECK_STRING(visited.text, " 2:c:x 4:: 5:f:x");
	visited = (struct visited){.until = 2};
	CHECK_INT(store->ops->rows_after(store, 0, append_row, &visited), -1);
	CHECK_STRING(visited.text, " 1:b:x 2:c:x");
	CHECK_INT(store->ops->rows_after(store, 5, append_row, &visited), 0);
	CHECK_STRING(visited.text, " 1:b:x 2:c:x");
}

TEST(store_visits_rows)
{
	for_both(row_visits);
}

static void
forms_end(struct store *store)
{
	struct store_form form = {.number = 1, .id = {{1}}, .state_seq = -1};
	struct store_ends ends;

	CHECK(store->ops->begin(store) == 0);
	insert(store, 1, "a", "one");
	insert(store, 2, "b", "two");
	CHECK(store->ops->put_form(store, &form, NULL) == 0);
	CHECK(store->ops->put_forms_end(store, 1, 2) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK(store->ops->begin(store) == 0);
	insert(store, 3, "c", "three");
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->ends(store, &ends), 0);
	CHECK_INT(ends.forms, 1);
	CHECK_INT(ends.last_seq, 3);
	CHECK_INT(ends.forms_seq, 2);
	/* The numbers of rows that are gone do not come again. */
	CHECK(store->ops->begin(store) == 0);
	for (int seq = 1; seq <= 3; seq++)
		CHECK(store->ops->delete_row(store, seq) == 0);
	CHECK(store->ops->put_forms_end(store, 1, 3) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->ends(store, &ends), 0);
	CHECK_INT(ends.last_seq, 3);
	CHECK_INT(ends.forms_seq, 3);
}

TEST(store_remembers_what_forms_account_for)
{
	for_both(forms_end);
}

static void
definitions(struct store *store)
{
	struct store_form form = {.number = 4, .id = {{9}}, .state_seq = -1};
	struct buf read;

	buf_init(&read, 1000);
	CHECK(store->ops->begin(store) == 0);
	CHECK(store->ops->put_form(store, &form, NULL) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->definition(store, 4, &read), 0);
	CHECK(store->ops->begin(store) == 0);
	CHECK(store->ops->put_definition(store, 4, "{}", 2) == 0);
	CHECK(store->ops->put_definition(store, 4, "[1]", 3) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->definition(store, 4, &read), 1);
	CHECK_BYTES(buf_bytes(&read), buf_length(&read), "[1]", 3);
	CHECK(store->ops->begin(store) == 0);
	CHECK(store->ops->put_definition(store, 4, "", 0) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->definition(store, 4, &read), 0);
	CHECK_INT(buf_length(&read), 0);
	buf_free(&read);
}

TEST(store_keeps_definitions)
{
	for_both(definitions);
}

static void
append_listed(void *owner, const struct store_form *form)
{
	char *text = owner;
	size_t used = strlen(text);

	snprintf(text + used, 100 - used, " %d:%s:%d:%d", form->id.bytes[0], form->title,
	    (int)form->total, (int)form->last_ms);
}

static void
put_listed(struct store *store, int id, bool listed, int64_t last_ms)
{
	char title[8];
	struct store_form form = {.number = id,
	    .id = {{(uint8_t)id}},
	    .state_seq = -1,
	    .whole = true,
	    .listed = listed,
	    .title = title,
	    .total = (uint64_t)id * 10,
	    .last_ms = last_ms};

	snprintf(title, sizeof(title), "t%d", id);
	CHECK(store->ops->put_form(store, &form, NULL) == 0);
}

/* `want` begins with the result. */
static void
check_list(struct store *store, int after, size_t limit, const char *want)
{
	struct form_id id = {{(uint8_t)after}};
	char text[100] = "";
	char *got = text + 2;
	int found = store->ops->list(store, after != 0 ? &id : NULL, limit, append_listed, got);

	text[0] = (char)('0' + found);
	text[1] = ':';
	CHECK_STRING(text, want);
}

static void
listing(struct store *store)
{
	check_list(store, 0, 5, "1:");
	CHECK(store->ops->begin(store) == 0);
	put_listed(store, 1, true, 50);
	put_listed(store, 2, true, 70);
	put_listed(store, 3, true, 50);
	put_listed(store, 4, false, 90);
	put_listed(store, 5, true, -7);
	CHECK(store->ops->commit(store) == 0);
	check_list(store, 0, 9, "1: 2:t2:20:70 3:t3:30:50 1:t1:10:50 5:t5:50:-7");
	check_list(store, 0, 2, "1: 2:t2:20:70 3:t3:30:50");
	check_list(store, 3, 2, "1: 1:t1:10:50 5:t5:50:-7");
	check_list(store, 5, 2, "1:");
	check_list(store, 4, 2, "0:");
	check_list(store, 9, 2, "0:");
	CHECK(store->ops->begin(store) == 0);
	put_listed(store, 5, true, 60);
	put_listed(store, 2, false, 70);
	CHECK(store->ops->commit(store) == 0);
	check_list(store, 0, 1, "1: 5:t5:50:60");
	/* Of forms that are not loaded only what was added is known. */
	struct store_form more = {.state_seq = -1, .total = 3};
	CHECK(store->ops->begin(store) == 0);
	for (int id = 1; id <= 6; id += 1 + 2 * (id == 2)) {
		more.number = id;
		more.id.bytes[0] = (uint8_t)id;
		more.last_ms = id == 1 ? 20 : 80 + id;
		CHECK(store->ops->put_form(store, &more, NULL) == 0);
	}
	CHECK(store->ops->commit(store) == 0);
	check_list(store, 0, 9, "1: 6::3:86 5:t5:53:85 3:t3:30:50 1:t1:13:50");
	CHECK(store->ops->begin(store) == 0);
	for (int id = 1; id <= 3; id++) {
		more.number = id;
		more.last_ms = id == 1 ? 99 : -99;
		CHECK(store->ops->extend_form(store, &more) == 0);
	}
	CHECK(store->ops->commit(store) == 0);
	check_list(store, 0, 9, "1: 1:t1:16:99 6::3:86 5:t5:53:85 3:t3:33:50");
}

TEST(store_lists_forms_newest_first)
{
	for_both(listing);
}

static void
rolled_back(struct store *store)
{
	struct store_row row;
	struct buf position;
	bool partial = false;

	buf_init(&position, 100);
	CHECK(store->ops->begin(store) == 0);
	insert(store, 1, "a", "one");
	CHECK(store->ops->put_position(store, "here", 4, true) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK(store->ops->begin(store) == 0);
	insert(store, 2, "b", "two");
	CHECK(store->ops->put_position(store, "there", 5, false) == 0);
	store->ops->rollback(store);
	store->ops->rollback(store); /* nothing to do, no harm */
	CHECK_INT(store->ops->row_by_id(store, "b", 1, &row), 0);
	CHECK_INT(store->ops->position(store, &position, &partial), 1);
	CHECK(partial);
	CHECK_BYTES(buf_bytes(&position), buf_length(&position), "here", 4);
	buf_free(&position);
}

TEST(store_rolls_back)
{
	for_both(rolled_back);
}

static void
many_rows(struct store *store)
{
	enum { MANY = 1000 };
	static char ids[MANY][8];
	static struct store_row new_rows[MANY];
	struct store_row row;

	/* Neither in the order of their ids nor all with one. */
	for (int i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%d", i * 7 % MANY);
		new_rows[i] = i % 10 == 3 ? row_of(i + 1, i, NULL, NULL)
					  : row_of(i + 1, i, ids[i], ids[i]);
	}
	CHECK(store->ops->begin(store) == 0);
	CHECK(insert_rows(store, new_rows, 0) == 0);
	CHECK(insert_rows(store, new_rows, MANY) == 0);
	CHECK(store->ops->commit(store) == 0);
	for (int i = 0; i < MANY; i++) {
		CHECK_INT(store->ops->row_by_seq(store, i + 1, &row), 1);
		CHECK_INT(row.prev, i);
		CHECK_BYTES(row.id, row.id_length, new_rows[i].id, new_rows[i].id_length);
		CHECK_BYTES(
		    row.record, row.record_length, new_rows[i].record, new_rows[i].record_length);
		CHECK((row.id == NULL) == (i % 10 == 3));
		CHECK(row.id == NULL ||
		    store->ops->row_by_id(store, ids[i], strlen(ids[i]), &row) == 1);
	}
}

TEST(store_takes_many_rows)
{
	for_both(many_rows);
}

TEST(store_sqlite_refuses_an_id_that_is_there)
{
	struct store *store = sqlite_new();
	struct store_row new_rows[] = {
	    row_of(1, 0, "a", "one"), row_of(2, 1, "a", "two"), row_of(3, 2, "c", "three")};
	struct store_row row;

	CHECK(store->ops->begin(store) == 0);
	CHECK(insert_rows(store, new_rows, 3) == -1 && errno == EIO);
	CHECK(strstr(store->ops->failure(store), "UNIQUE") != NULL);
	store->ops->rollback(store);
	CHECK_INT(store->ops->row_by_seq(store, 1, &row), 0);
	new_rows[1] = row_of(2, 1, "b", "two");
	CHECK(store->ops->begin(store) == 0);
	CHECK(insert_rows(store, new_rows, 3) == 0);
	CHECK(store->ops->commit(store) == 0);
	CHECK_INT(store->ops->row_by_id(store, "c", 1, &row), 1);
	CHECK_INT(row.seq, 3);
	store->ops->free(&store);
}

TEST(store_memory_fails_when_told)
{
	struct store *store = store_memory_new();
	struct store_row row;

	store_memory_fail(store, ENOSPC);
	CHECK(store->ops->begin(store) == 0);
	insert(store, 1, "a", "one");
	CHECK(store->ops->commit(store) == -1 && errno == ENOSPC);
	store->ops->rollback(store);
	store_memory_fail(store, 0);
	CHECK_INT(store->ops->row_by_id(store, "a", 1, &row), 0);
	store->ops->free(&store);
}

TEST(store_sqlite_fails_when_told_and_keeps_what_was)
{
	char *file = mem_printf("%s/fail", unit_directory());
	struct store_row row;

	setenv("DUNE_TEST_FAIL_COMMIT", file, 1);
	struct store *store = sqlite_new();
	fclose(fopen(file, "w"));
	CHECK(store->ops->begin(store) == 0);
	insert(store, 1, "a", "one");
	CHECK(store->ops->commit(store) == -1 && errno == ENOSPC);
	CHECK(strstr(store->ops->failure(store), "injected") != NULL);
	store->ops->rollback(store);
	unlink(file);
	CHECK(store->ops->begin(store) == 0);
	insert(store, 1, "a", "one");
	CHECK(store->ops->commit(store) == 0);
	store->ops->free(&store);
	store = sqlite_new();
	CHECK_INT(store->ops->row_by_id(store, "a", 1, &row), 1);
	store->ops->free(&store);
	free(file);
}

/* The exit code of a child that opens the store. */
static int
open_in_child(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct store *store = sqlite_new();
		store->ops->free(&store);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(store_sqlite_belongs_to_one_process)
{
	struct store *store = sqlite_new();

	CHECK_INT(open_in_child(), 111);
	store->ops->free(&store);
	CHECK_INT(open_in_child(), 0);
}

/* As a program of another version would. */
static void
change(const char *sql)
{
	char *path = mem_printf("%s/analytics.db", unit_directory());
	sqlite3 *handle;

	CHECK_INT(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, page_check_vfs()), 0);
	CHECK_INT(sqlite3_exec(handle, sql, NULL, NULL, NULL), 0);
	sqlite3_close(handle);
	free(path);
}

static void
overwrite(off_t offset, const void *bytes, size_t length)
{
	char *path = mem_printf("%s/analytics.db", unit_directory());
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	CHECK(pwrite(fd, bytes, length, offset) == (ssize_t)length);
	close(fd);
	free(path);
}

TEST(store_sqlite_refuses_a_newer_version)
{
	struct store *store = sqlite_new();

	store->ops->free(&store);
	change("PRAGMA user_version = 7");
	CHECK_INT(open_in_child(), 100);
}

/* Version 3 wrote the rows of forms with each commit, and did not say so. */
TEST(store_sqlite_takes_over_version_3)
{
	struct store *store = sqlite_new();
	struct store_ends ends;

	CHECK(store->ops->begin(store) == 0);
	insert(store, 1, "a", "one");
	insert(store, 2, "b", "two");
	CHECK(store->ops->commit(store) == 0);
	store->ops->free(&store);
	change("PRAGMA user_version = 3");
	for (int start = 0; start < 2; start++) {
		store = sqlite_new();
		CHECK_INT(store->ops->ends(store, &ends), 0);
		CHECK_INT(ends.forms_seq, 2);
		CHECK(store->ops->begin(store) == 0);
		insert(store, 3 + start, start == 0 ? "c" : "d", "more");
		CHECK(store->ops->commit(store) == 0);
		store->ops->free(&store);
	}
	change("DELETE FROM meta");
	store = sqlite_new();
	CHECK_INT(store->ops->ends(store, &ends), 0);
	CHECK_INT(ends.last_seq, 4);
	CHECK_INT(ends.forms_seq, 0);
	store->ops->free(&store);
}

TEST(store_sqlite_refuses_what_is_not_its_own)
{
	struct store *store = sqlite_new();

	store->ops->free(&store);
	change("PRAGMA application_id = 7");
	CHECK_INT(open_in_child(), 100);
}

TEST(store_sqlite_sets_a_corrupt_file_aside)
{
	char *pattern = mem_printf("%s/analytics.db.corrupt-*", unit_directory());
	struct store_row row;
	struct stat status;
	glob_t found;
	char junk[5000];

	memset(junk, 'j', sizeof(junk));
	overwrite(0, junk, sizeof(junk));
	struct store *store = sqlite_new();
	CHECK_INT(store->ops->row_by_id(store, "a", 1, &row), 0);
	store->ops->free(&store);
	CHECK_INT(glob(pattern, 0, NULL, &found), 0);
	CHECK_INT(found.gl_pathc, 1);
	CHECK(stat(found.gl_pathv[0], &status) == 0);
	CHECK_INT(status.st_size, sizeof(junk));
	globfree(&found);
	free(pattern);
}
