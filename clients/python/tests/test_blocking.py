# SPDX-License-Identifier: GPL-2.0-or-later
import os
import signal
import threading
import time
import unittest

from hgbroker import Client, CommandError, ConnectionLost, RequestError

from .scene import Scene, needs_hg


class Blocking(unittest.TestCase):
    def setUp(self):
        self.scene = Scene(self)

    def test_session(self):
        with Client(self.scene.recorded("merging"), **self.scene.native) as hg:
            self.assertEqual(hg.capabilities.fallback, "never")
            self.assertIn("log", hg.capabilities.native_commands)
            node = hg.run("log", "-r", ".", "-T", "{node}").check().text
            state = hg.state()
            self.assertEqual([len(state.parents), state.parents[0].node, state.operation.name, state.conflicts], [2, node, "merge", 2])
            self.assertEqual(state.parents[0].when.year, 2014)
            status = {f.path: f.status for f in hg.status().files}
            self.assertEqual((status["both"], status["moved"], status["both.orig"]), ("M", "R", "?"))
            self.assertEqual({f.path for f in hg.status("both", kinds="M").files}, {"both"})
            self.assertEqual([c.path for c in hg.conflicts().files if c.status == "U"], ["both", "gone"])
            self.assertEqual(hg.cat("both").content, hg.run("cat", "-r", ".", "both").stdout)
            self.assertEqual(hg.line_diff("both", content=hg.cat("both").content).hunks, [])
            whole = hg.cat("both").content
            (hunk,) = hg.line_diff("both", content=whole + b"new\n").hunks
            self.assertEqual((hunk.old_lines, hunk.new_lines), (0, 1))
            annotated = hg.annotate("both", content=whole + b"new\n", lines=(1, 4))
            self.assertEqual(annotated.lines[-1].commit, -1)
            self.assertEqual(annotated.commits[annotated.lines[0].commit].desc, "base")
            log = hg.log(limit=2, graph=True, files=True)
            self.assertEqual([c.rev for c in log.commits], [2, 1])
            self.assertEqual(log.commits[0].graph.edges[0].kind, "parent")
            self.assertIn("right", log.commits[0].files)
            self.assertEqual([c.rev for c in hg.log(cursor=log.next).commits], [0])
            self.assertTrue(hg.diff("both").text.startswith(b"diff --git a/both b/both\n"))
            self.assertTrue(hg.diff("both", format="hunks").files[0].hunks[0].lines)
            self.assertEqual(hg.diff("both", format="stat").files[0].path, "both")
            self.assertEqual(hg.refs(["branches"]).branches[0].name, "default")
            self.assertEqual([r.rev for r in hg.resolve_revset("all()").revs], [0, 1, 2])
            self.assertEqual(hg.render(".", "{rev}").text, b"1")
            self.assertIn("both", [f.path for f in hg.files().files])
            self.assertIsNone(hg.copy_source("both").source)
            self.assertEqual(hg.paths().paths, [])
            self.assertIsInstance(hg.config("ui").items, list)
            first, second = hg.run_batch([["branch"], ["nonsense"]])
            self.assertEqual(first.stdout, b"default\n")
            self.assertTrue(isinstance(second, RequestError) or second.exit_code == 255, second)
            there, not_there = hg.cat_batch(["both", ("nowhere", "0")])
            self.assertEqual((there.content, not_there.kind), (whole, "FileNotInRevision"))
            self.assertIn(hg.run("id").served, ("warm", "cold"))
            self.assertTrue(hg.stats())
            self.assertIsNone(hg.flush())
            other = self.scene.recorded("merges-renames")
            self.assertEqual(hg.copy_source("a3", "8", repository=other).source, "a2")
            self.assertEqual(hg.state(repository=other).root, other)

    def test_bytes(self):
        """Any name of a file comes back as it is, and can be asked about."""
        root = self.scene.recorded("names")
        with Client(root, **self.scene.native) as hg:
            files = hg.files(rev=".").files
            printed = hg.run("files", "-0", "-r", ".").check().stdout.split(b"\0")[:-1]
            self.assertEqual(sorted(os.fsencode(f.path) for f in files), sorted(printed))
            odd = [f.path for f in files if not f.path.isprintable() or not f.path.isascii()]
            self.assertTrue(any("\udc80" <= c <= "\udcff" for path in odd for c in path), "no name beyond UTF-8 was found")
            for path in odd:
                self.assertEqual(hg.cat(path).path, path)
                self.assertEqual(hg.cat(os.fsencode(path)).path, path)

    def test_errors(self):
        with Client(self.scene.recorded("linear"), **self.scene.native) as hg:
            for kind, ask in [
                ("FileNotInRevision", lambda: hg.cat("nowhere")),
                ("UnknownRevision", lambda: hg.cat("a", rev="nowhere")),
                ("NotARepository", lambda: hg.state(repository="/")),
                ("Unsupported", lambda: hg.run("commit", "-m", "x")),
            ]:
                with self.assertRaises(RequestError) as raised:
                    ask()
                self.assertEqual((raised.exception.kind, raised.exception.code), (kind, -32803))
            result = hg.run("log", "-r", "nowhere")
            self.assertEqual(result.exit_code, 255)
            self.assertIn(b"unknown revision", result.stderr)
            with self.assertRaises(CommandError) as failed:
                result.check()
            self.assertEqual(failed.exception.exit_code, 255)
            with self.assertRaises(ValueError):
                hg.cat("\ud800")
            self.assertEqual(hg.run("branch").text, "default\n")  # the client still works

    def test_command(self):
        with Client(cwd=self.scene.dir, **self.scene.faking) as hg:
            result = hg.run("fail")
            self.assertEqual((result.exit_code, result.stdout, result.stderr, result.served), (3, b"out\n", b"err\n", "fallback"))
            self.assertEqual(hg.run("copy", stdin=b"\xff\n").stdout, b"\xff\n")
            self.assertEqual(hg.run("env", "X", env={"X": b"\xe9"}).text, "\udce9")
            self.assertEqual(hg.run("say", "é", b"\xe9", os.fsdecode(b"\xe8")).stdout, "é ".encode() + b"\xe9 \xe8\n")
            with self.assertRaises(RequestError) as raised:
                hg.run("rest", os.path.join(self.scene.dir, "pid"), timeout=0.2)
            self.assertEqual(raised.exception.kind, "Timeout")

    def test_stream(self):
        with Client(cwd=self.scene.dir, **self.scene.faking) as hg:
            got = {"out": b"", "err": b""}
            with hg.stream("both") as pieces:
                for piece in pieces:
                    got[piece.channel] += piece.data
            self.assertEqual((got, pieces.result.exit_code), ({"out": b"out1\nout2\n", "err": b"err1\n"}, 3))
            # Other questions between pieces.
            size, asked = 0, 0
            with hg.stream("pour", "40") as pieces:
                for piece in pieces:
                    size += len(piece.data)
                    if asked < 3:
                        asked += 1
                        self.assertEqual(hg.run("say", "x").text, "x\n")
            self.assertEqual((size, pieces.result.exit_code, asked), (40 * 65536, 0, 3))
            # Leaving early ends the command.
            with hg.stream("pour", "1000000000") as pieces:
                next(pieces)
            self.assertEqual(list(pieces), [])
            with self.assertRaises(ValueError):
                pieces.result
            self.assertEqual(hg.run("say", "after").text, "after\n")

    def test_threads(self):
        with Client(self.scene.recorded("linear"), **self.scene.native) as hg:
            wrong = []

            def ask(n):
                for i in range(20):
                    rev = (n + i) % 10
                    if hg.run("log", "-r", str(rev), "-T", "{rev}").text != str(rev):
                        wrong.append(rev)

            threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(wrong, [])

    def test_interrupt(self):
        """Ctrl-C ends the question and the command, not the client."""
        with Client(cwd=self.scene.dir, **self.scene.faking) as hg:
            pid = os.path.join(self.scene.dir, "pid")
            me = threading.get_ident()

            def interrupt():
                end = time.monotonic() + 30
                while not (os.path.exists(pid) and os.path.getsize(pid)) and time.monotonic() < end:
                    time.sleep(0.005)
                signal.pthread_kill(me, signal.SIGINT)

            thread = threading.Thread(target=interrupt)
            thread.start()
            with self.assertRaises(KeyboardInterrupt):
                hg.run("rest", pid)
            thread.join()
            self.assertEqual(hg.run("say", "x").text, "x\n")

    def test_ends(self):
        hg = Client(self.scene.recorded("linear"), **self.scene.native)
        process = hg._process
        hg.close()
        hg.close()
        self.assertEqual(process.returncode, 0)
        with self.assertRaises(ConnectionLost):
            hg.run("id")
        with Client(self.scene.recorded("branches"), **self.scene.native) as hg:
            hg._process.kill()
            for _ in range(2):
                with self.assertRaises(ConnectionLost):
                    hg.run("id")
        with self.assertRaises(ConnectionLost):
            Client(command=[os.path.join(self.scene.dir, "nowhere")])
        with self.assertRaises(ConnectionLost):
            Client(command=["/bin/echo", "hello"])

    def test_exe_from_environment(self):
        os.environ["HGBROKER_EXE"] = self.scene.exe
        self.addCleanup(os.environ.pop, "HGBROKER_EXE")
        with Client(self.scene.recorded("linear"), env=self.scene.env) as hg:
            self.assertEqual(hg.run("branch").text, "default\n")

    @needs_hg
    def test_beside_hg(self):
        root = self.scene.recorded("merges-renames")
        with Client(root, **self.scene.native) as hg:
            for args in [["log"], ["log", "-G", "-T", "{rev} {desc|firstline}\n"], ["status"], ["branches"], ["cat", "-r", "tip", "glob:**"]]:
                self.assertEqual(hg.run(*args).stdout, self.scene.hg(root, *args), args)

    @needs_hg
    def test_changes(self):
        root = self.scene.recorded("linear")
        told = []
        with Client(root, on_notification=lambda method, params: told.append(params), **self.scene.real) as hg:
            self.assertTrue(hg.open_repository().watched)
            self.scene.hg(root, "bookmark", "here")
            self.assertTrue(hg.wait(30))
            self.assertEqual(told[0].root, root)
            self.assertIn("refs", told[0].kinds)
            hg.close_repository()
            hg.run("bookmark", "there").check()
            self.assertEqual({b.name for b in hg.refs(["bookmarks"]).bookmarks}, {"here", "there"})
            self.assertFalse(hg.wait(0.1))

    @needs_hg
    def test_questions(self):
        root = self.scene.deleted_and_changed()
        asked = []

        def prompt(p):
            asked.append(p)
            return "d"

        def edit(e):
            asked.append(e)
            return b"merged, caf\xc3\xa9\n" + e.text

        with Client(root, prompt=prompt, edit=edit, **self.scene.real) as hg:
            self.assertEqual(hg.run("merge").check().served, "fallback")
            (question,) = asked
            self.assertEqual(question.kind, "choice")
            self.assertIn("d", [c.value for c in question.choices])
            hg.run("commit").check()
            self.assertIn(b"HG: ", asked[1].text)
            self.assertEqual(hg.log("tip").commits[0].desc, "merged, café")
            self.assertEqual(hg.files().files, [])

            def fail(e):
                raise ZeroDivisionError

            hg._answers["hg/edit"] = fail
            with self.assertRaises(ZeroDivisionError):
                hg.run("commit", "--amend")
            self.assertEqual(hg.log("tip").commits[0].desc, "merged, café")
        # Nobody to ask: as without a terminal.
        with Client(root, **self.scene.real) as hg:
            hg.run("update", "-C", "2").check()
            self.assertEqual(hg.run("merge", "1").exit_code, 1)


if __name__ == "__main__":
    unittest.main()
