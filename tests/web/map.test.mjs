// The map of the page: from what the guest prints to boxes, groups, and what is new, changed or has ended.
import assert from "node:assert/strict";
import test from "node:test";
import { kindsOf, Made, read } from "../../scripts/web/machine/map.js";

const machine = "process 1 0 init\ninside 1 1\nmember 1 \nnamespace 1 uts 100\nnamespace 1 pid 200\n";
const process = (pid, name, { uts = 100, pid: pids = 200, inside = pid, group = "" } = {}) =>
	`process ${pid} 1 ${name}\ninside ${pid} ${inside}\nmember ${pid} ${group}\nnamespace ${pid} uts ${uts}\nnamespace ${pid} pid ${pids}\n`;
const words = ({ boxes }) => boxes.map(({ name, letters, processes, mark }) => [name, letters, processes.map(({ word, mark: of }) => word + of).join(), mark]);

test("processes in the same namespaces are one box, with the name of its host", () => {
	const made = new Made();
	const text = `${machine}${process(50, "01-pid-ns")}${process(51, "a", { uts: 101, pid: 201, inside: 1 })}${process(52, "b", { uts: 101, pid: 201, inside: 2 })}${process(53, "c", { pid: 202, inside: 1 })}hostname 101 web\n`;
	assert.deepEqual(words(made.look(read(text), { lab: 50 })), [
		["this machine", {}, "init,the lab", ""],
		["web", { uts: "A", pid: "A" }, "a,b", ""],
		["box B", { pid: "B" }, "c", ""],
	]);
});

test("what a step has made is new, a process or limit that is another one has changed, and what is gone has ended", () => {
	const made = new Made();
	made.look(read(`${machine}${process(50, "lab")}${process(51, "a")}group lab/x memory.max 4096\n`), { lab: 50 });
	const now = made.look(read(`${machine}${process(50, "lab", { uts: 101 })}${process(52, "b")}hostname 101 web\ngroup lab/x memory.max 8192\ngroup lab/y pids.max max\n`), { lab: 50 });
	assert.deepEqual(words(now), [["this machine", {}, "init,bnew", ""], ["web", { uts: "A" }, "the labchanged", "new"]]);
	assert.deepEqual(now.groups.map(({ path, mark }) => [path, mark]), [["lab/x", "changed"], ["lab/y", "new"]]);
	assert.deepEqual(now.ended, [{ pid: "51", name: "a", kinds: [] }]);
	const gone = made.look(read(`${machine}process 52 1 b\ninside 52 \n`), { lab: 50 });
	assert.deepEqual([gone.boxes[0].processes.length, gone.ended.map(({ pid }) => pid)], [1, ["50", "52"]]);
});

test("a process that has lived within one step is known by the calls", () => {
	const made = new Made();
	made.look(read(machine + process(50, "lab")), { lab: 50 });
	made.call({ call: "clone3({flags = CLONE_NEWPID | CLONE_NEWUTS})", pid: 50, value: 60 });
	made.call({ call: "fork()", pid: 50, value: 61 });
	made.call({ call: "unshare(CLONE_NEWNS)", pid: 61, value: 0 });
	made.call({ call: "unshare(CLONE_NEWNET)", pid: 50, value: -1 });
	assert.deepEqual(made.look(read(machine + process(50, "lab")), { lab: 50 }).ended, [
		{ pid: "60", name: "a child", kinds: ["pid", "uts"] },
		{ pid: "61", name: "a child", kinds: ["mnt"] },
	]);
	assert.deepEqual(made.look(read(machine + process(50, "lab")), { lab: 50 }).ended, []);
	assert.deepEqual(kindsOf("unshare(CLONE_NEWNS)"), ["mnt"]);
	assert.deepEqual(kindsOf("setns(fd, 0)"), []);
});
