/*
 * vm-client on a terminal, beside a guest that is played: QEMU is this program once more,
 * which says what scripts/labvm/wire.h lets a guest say.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <sys/un.h>

#include "../../scripts/labvm/wire.h"
#include "run.h"

/* ---- The guest ---- */

static bool take(int fd, void *data, size_t size)
{
	return size == 0 || recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static void give(int fd, uint32_t type, const void *data, size_t len)
{
	struct wire_head head = {type, (uint32_t)len};
	if (write(fd, &head, sizeof head) < 0 || (len && write(fd, data, len) < 0))
		_exit(1);
}

/* Its command says "ready", then what it reads; it ends with that status, at once or by a signal.
 */
static _Noreturn void guest(const char *status, char *argv[])
{
	static const char chardev[] = "socket,id=lab0,path=";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	static uint8_t data[WIRE_DATA];
	struct wire_head head;
	while (*argv && strncmp(*argv, chardev, strlen(chardev)))
		argv++;
	if (!*argv)
		_exit(1);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", *argv + strlen(chardev));
	address.sun_path[strcspn(address.sun_path, ",")] = '\0';
	int port = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(port, (struct sockaddr *)&address, sizeof address) || listen(port, 1))
		_exit(1);
	int fd = accept(port, NULL, NULL);
	while (take(fd, &head, sizeof head) && head.len <= sizeof data &&
		take(fd, data, head.len)) {
		switch (head.type) {
		case WIRE_SYNC:
			give(fd, WIRE_SYNCED, data, head.len);
			break;
		case WIRE_BEGIN:
			give(fd, WIRE_BEGUN, NULL, 0);
			break;
		case WIRE_START:
			give(fd, WIRE_STDOUT, "ready\n", 6);
			if (*status)
				give(fd, WIRE_EXIT, status, strlen(status));
			break;
		case WIRE_STDIN:
			give(fd, WIRE_STDOUT, data, head.len);
			break;
		case WIRE_SIGNAL:
			give(fd, WIRE_EXIT, "0", 1);
			break;
		case WIRE_QUIT:
			give(fd, WIRE_BYE, NULL, 0);
			shutdown(fd, SHUT_WR);
			_exit(WIRE_EXIT_STATUS);
		}
	}
	_exit(1);
}

/* ---- The client ---- */

static char self[PATH_MAX], program[PATH_MAX + 32], place[] = "/tmp/unit-vm-XXXXXX";

static uid_t user; /* who it is to be; 0: who we are */

static struct client {
	pid_t shell, pid;
	int terminal[2]; /* the outer end; the one for programs */
	int out;         /* the client's stdout where that is a pipe */
	int shells;      /* from the shell: the client's PID, then how it ended */
	struct termios found;
	char run[128]; /* its folder */
} c;

/*
 * As a shell starts it: somebody else leads the session, because the end of that one would hang the
 * terminal up. Stdout is a pipe or the terminal.
 */
static void start(const char *status, bool pipe_out)
{
	int report[2], out[2];
	if (access(program, X_OK))
		skip();
	run_terminal(c.terminal, 80);
	c.found.c_lflag = 0;
	assert_int_equal(tcgetattr(c.terminal[1], &c.found), 0);
	assert_int_equal(pipe2(report, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	fflush(NULL);
	c.shell = fork();
	assert_true(c.shell >= 0);
	if (c.shell == 0) {
		int how[2] = {0, 0};
		setsid();
		ioctl(c.terminal[1], TIOCSCTTY, 0);
		pid_t pid = fork();
		if (pid == 0) {
			dup2(c.terminal[1], 0);
			dup2(pipe_out ? out[1] : c.terminal[1], 1);
			dup2(c.terminal[1], 2);
			setenv("XDG_RUNTIME_DIR", place, 1);
			signal(SIGINT, SIG_DFL); /* who began us may ignore it */
			if (user && (setresgid(user, user, user) || setresuid(user, user, user)))
				_exit(126);
			execl(program, "vm-client", "run", "--limit", "20", "--qemu", self, "guest",
				status, "isa-debug-exit", "--boot", "--", "command", NULL);
			_exit(127);
		}
		how[0] = pid;
		waitpid(write(report[1], how, sizeof *how) > 0 ? pid : 0, how + 1, 0);
		if (write(report[1], how + 1, sizeof *how) > 0)
			pause();
		_exit(0);
	}
	close(report[1]);
	close(out[1]);
	c.shells = report[0];
	c.out = out[0];
	assert_int_equal(read(c.shells, &c.pid, sizeof(int)), sizeof(int));
	snprintf(c.run, sizeof c.run, "%s/unboxed-%u/vm-%d", place, geteuid(), c.pid);
}

/* Reads until this was there, five seconds at most. */
static void wait_for(int fd, const char *words)
{
	char text[1024] = "";
	size_t len = 0;
	struct pollfd ready = {fd, POLLIN, 0};
	while (!strstr(text, words)) {
		if (len == sizeof text - 1 || poll(&ready, 1, 5000) != 1)
			fail_msg("expected %s, read: %s", words, text);
		ssize_t n = read(fd, text + len, sizeof text - 1 - len);
		if (n <= 0)
			fail_msg("expected %s, read: %s", words, text);
		len += (size_t)n;
		text[len] = '\0';
	}
}

/* How the client ended: its status, or 128 + signal. */
static int ended(void)
{
	struct pollfd ready = {c.shells, POLLIN, 0};
	int how;
	if (poll(&ready, 1, 10000) != 1)
		fail_msg("the client is still there");
	assert_int_equal(read(c.shells, &how, sizeof how), sizeof how);
	c.pid = 0;
	return WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
}

static int end_client(void **state)
{
	(void)state;
	if (!c.shell)
		return 0;
	if (c.pid > 0)
		kill(c.pid, SIGKILL);
	kill(c.shell, SIGKILL);
	waitpid(c.shell, NULL, 0);
	close(c.terminal[0]);
	close(c.terminal[1]);
	close(c.out);
	close(c.shells);
	c = (struct client){0};
	return 0;
}

/* ---- Its folder ---- */

/* The folders that a user has by mkdtemp(3); none of them is left then. */
static int spare_places(uid_t of)
{
	char prefix[32], path[300];
	int count = 0;
	DIR *dir = opendir("/tmp");
	snprintf(prefix, sizeof prefix, "unboxed-%u-", of);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(path, sizeof path, "/tmp/%s", entry->d_name);
		count += rmdir(path) == 0;
	}
	if (dir)
		closedir(dir);
	return count;
}

/* The name that can be foreseen is somebody else's: root's, as it happens. */
static void a_name_that_is_taken_is_no_hindrance(void **state)
{
	char taken[32];
	if (geteuid() != 0)
		skip();
	user = 54321;
	snprintf(taken, sizeof taken, "/tmp/unboxed-%u", user);
	spare_places(user);
	int made = mkdir(taken, 0700), status[2];
	for (int i = 0; i < 2; i++) {
		start("7", true);
		status[i] = ended();
		end_client(state);
	}
	int spare = spare_places(user); /* each has gone with its machine */
	user = 0;
	assert_int_equal(made | rmdir(taken), 0);
	if (status[0] == 127)
		skip(); /* who may not enter the folder of this test */
	assert_int_equal(status[0], 7);
	assert_int_equal(status[1], 7);
	assert_int_equal(spare, 0);
}

/* ---- Its status ---- */

static void statuses_are_0_to_255(void **state)
{
	static const struct {
		const char *text;
		int status;
	} told[] = {{"0", 0}, {"7", 7}, {"255", 255}, {"256", 125}, {"-1", 125}, {"7x", 125},
		{"99999999999", 125}, {" 7", 125}};
	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		start(told[i].text, true);
		int status = ended();
		if (status != told[i].status)
			fail_msg("guest's %s: expected %d, observed %d", told[i].text,
				told[i].status, status);
		assert_int_not_equal(access(c.run, F_OK), 0);
		end_client(state);
	}
}

/* ---- Who is killed ---- */

/* The client has two children: the other one is QEMU, which is this program. */
static pid_t watcher(void)
{
	char path[64], line[512] = "", exe[PATH_MAX], name[PATH_MAX] = "";
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", c.pid, c.pid);
	FILE *children = fopen(path, "re");
	assert_non_null(children);
	if (!fgets(line, sizeof line, children))
		line[0] = '\0';
	fclose(children);
	assert_non_null(realpath(program, name));
	for (char *at = line, *end; *at; at = end + strspn(end, " ")) {
		pid_t pid = (pid_t)strtol(at, &end, 10);
		snprintf(path, sizeof path, "/proc/%d/exe", pid);
		ssize_t len = readlink(path, exe, sizeof exe - 1);
		exe[len > 0 ? len : 0] = '\0';
		if (end == at || !strcmp(exe, name))
			return end == at ? 0 : pid;
	}
	return 0;
}

static void a_killed_watcher_leaves_no_folder(void **state)
{
	(void)state;
	start("", true);
	wait_for(c.out, "ready");
	assert_int_equal(access(c.run, F_OK), 0);
	pid_t pid = watcher();
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(kill(c.pid, SIGINT), 0);
	assert_int_equal(ended(), 0);
	assert_int_not_equal(access(c.run, F_OK), 0);
}

static tcflag_t modes(void)
{
	struct termios now = {0};
	assert_int_equal(tcgetattr(c.terminal[1], &now), 0);
	return now.c_lflag;
}

/* Somebody else does it: within five seconds. */
static bool becomes(tcflag_t expected)
{
	for (int i = 0; i < 500 && modes() != expected; i++)
		poll(NULL, 0, 10);
	return modes() == expected;
}

static void a_killed_client_leaves_the_terminal_as_it_was(void **state)
{
	(void)state;
	start("", false);
	wait_for(c.terminal[0], "ready");
	assert_int_equal(modes() & (ICANON | ECHO | ISIG), 0);
	assert_int_equal(kill(c.pid, SIGKILL), 0);
	assert_int_equal(ended(), 128 + SIGKILL);
	assert_true(becomes(c.found.c_lflag));
	for (int i = 0; i < 500 && access(c.run, F_OK) == 0; i++)
		poll(NULL, 0, 10);
	assert_int_not_equal(access(c.run, F_OK), 0);
}

static void the_terminal_is_as_it_was_at_the_end(void **state)
{
	(void)state;
	start("", false);
	wait_for(c.terminal[0], "ready");
	assert_int_equal(modes() & (ICANON | ECHO | ISIG), 0);
	assert_int_equal(kill(c.pid, SIGINT), 0);
	assert_int_equal(ended(), 0);
	assert_int_equal(modes(), c.found.c_lflag);
}

/* ---- Stdin is a terminal, stdout a pipe ---- */

static void type(const char *keys)
{
	assert_int_equal(write(c.terminal[0], keys, strlen(keys)), strlen(keys));
}

/* As a pager has it. Returns the mode. */
static tcflag_t by_keys(void)
{
	struct termios mode = c.found;
	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	assert_int_equal(tcsetattr(c.terminal[1], TCSANOW, &mode), 0);
	return mode.c_lflag;
}

/* The key comes to us, though the client has had the time to take it. */
static void has_keys(const char *key)
{
	char got = 0;
	struct pollfd ready = {c.terminal[1], POLLIN, 0};
	type(key);
	poll(NULL, 0, 300);
	assert_int_equal(poll(&ready, 1, 0), 1);
	assert_int_equal(read(c.terminal[1], &got, 1), 1);
	assert_int_equal(got, *key);
}

static void lines_go_to_the_guest_and_the_modes_stay(void **state)
{
	(void)state;
	start("", true);
	wait_for(c.out, "ready");
	type("a line\n");
	wait_for(c.out, "a line\n");
	type("\4"); /* its end, and on it goes */
	wait_for(c.out, "\4");
	type("another\n");
	wait_for(c.out, "another\n");
	assert_int_equal(modes(), c.found.c_lflag);
	kill(c.pid, SIGINT);
	assert_int_equal(ended(), 0);
	assert_int_equal(modes(), c.found.c_lflag);
}

static void a_pager_has_the_keys_and_its_modes(void **state)
{
	(void)state;
	start("", true);
	tcflag_t pagers = by_keys(); /* during the boot */
	wait_for(c.out, "ready");
	has_keys(" ");
	assert_int_equal(modes(), pagers);
	assert_int_equal(tcsetattr(c.terminal[1], TCSANOW, &c.found), 0);
	type("a line\n");
	wait_for(c.out, "a line\n");
	by_keys(); /* another, while the command runs */
	has_keys("x");
	has_keys("y");
	kill(c.pid, SIGINT);
	assert_int_equal(ended(), 0);
	assert_int_equal(modes(), pagers);
}

/* ---- */

static int prepare(void **state)
{
	(void)state;
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	if (len < 0 || !mkdtemp(place))
		return -1;
	self[len] = '\0';
	snprintf(program, sizeof program, "%.*s/../labvm/client", (int)(strrchr(self, '/') - self),
		self);
	return 0;
}

static int finish(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", place);
	return system(command);
}

#define TEST(name) cmocka_unit_test_teardown(name, end_client)

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		TEST(a_name_that_is_taken_is_no_hindrance),
		TEST(statuses_are_0_to_255),
		TEST(a_killed_watcher_leaves_no_folder),
		TEST(a_killed_client_leaves_the_terminal_as_it_was),
		TEST(the_terminal_is_as_it_was_at_the_end),
		TEST(lines_go_to_the_guest_and_the_modes_stay),
		TEST(a_pager_has_the_keys_and_its_modes),
	};
	if (argc > 2 && !strcmp(argv[1], "guest"))
		guest(argv[2], argv + 3);
	return cmocka_run_group_tests_name("vm-client", tests, prepare, finish);
}
