# SPDX-License-Identifier: GPL-2.0-or-later
import asyncio
import os
import unittest

from hgbroker import AsyncClient, ConnectionLost, RequestError

from .scene import Scene, needs_hg


async def written(path):
    """Waits for a command's process number."""
    for _ in range(6000):
        if os.path.exists(path) and os.path.getsize(path):
            with open(path) as f:
                return int(f.read())
        await asyncio.sleep(0.005)
    raise AssertionError("the command did not start")


async def gone(pid):
    for _ in range(6000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the command goes on")


class Aio(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.scene = Scene(self)

    async def test_many_at_once(self):
        async with AsyncClient(self.scene.recorded("linear"), **self.scene.native) as hg:
            self.assertIn("status", hg.capabilities.native_commands)
            texts = await asyncio.gather(*[hg.run("log", "-r", str(n % 10), "-T", "{rev}") for n in range(200)])
            self.assertEqual([r.text for r in texts], [str(n % 10) for n in range(200)])
            state, log, refs = await asyncio.gather(hg.state(), hg.log(limit=1), hg.refs())
            self.assertEqual(state.branch, refs.branches[0].name)
            with self.assertRaises(RequestError) as raised:
                await hg.cat("nowhere")
            self.assertEqual(raised.exception.kind, "FileNotInRevision")

    async def test_cancel(self):
        async with AsyncClient(cwd=self.scene.dir, **self.scene.faking) as hg:
            path = os.path.join(self.scene.dir, "pid")
            task = asyncio.ensure_future(hg.run("rest", path))
            pid = await written(path)
            self.assertEqual((await hg.run("say", "meanwhile")).text, "meanwhile\n")
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            await gone(pid)
            os.unlink(path)
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(hg.run("rest", path), 0.5)
            self.assertEqual((await hg.run("say", "after")).text, "after\n")
            self.assertEqual(hg._waiting, {})

    async def test_stream(self):
        async with AsyncClient(cwd=self.scene.dir, **self.scene.faking) as hg:
            got = {"out": b"", "err": b""}
            async with hg.stream("both") as pieces:
                async for piece in pieces:
                    got[piece.channel] += piece.data
            self.assertEqual((got, pieces.result.exit_code), ({"out": b"out1\nout2\n", "err": b"err1\n"}, 3))
            # A slow reader holds the command back, and nobody else.
            async with hg.stream("pour", "1000000000") as pieces:
                await pieces.__anext__()
                for _ in range(200):
                    await asyncio.sleep(0.005)
                    if pieces.full:
                        break
                self.assertTrue(pieces.full)
                for _ in range(3):
                    self.assertEqual((await hg.run("say", "x")).text, "x\n")
                held = pieces._size
                await asyncio.sleep(0.1)
                self.assertLess(pieces._size - held, 4 << 20)
            self.assertEqual((await hg.run("say", "after")).text, "after\n")
            self.assertEqual((hg._waiting, hg._streams), ({}, {}))

    async def test_ends(self):
        hg = AsyncClient(cwd=self.scene.dir, **self.scene.faking)
        with self.assertRaises(ConnectionLost):
            await hg.run("say")
        path = os.path.join(self.scene.dir, "pid")
        async with hg:
            process = hg._process
            task = asyncio.ensure_future(hg.run("rest", path))
            pid = await written(path)
        self.assertEqual(process.returncode, 0)
        with self.assertRaises(ConnectionLost):
            await task
        await gone(pid)
        with self.assertRaises(ConnectionLost):
            await hg.run("say")
        await hg.close()
        # In the middle of a stream that nobody reads.
        async with AsyncClient(cwd=self.scene.dir, **self.scene.faking) as hg:
            process = hg._process
            async with hg.stream("pour", "1000000000") as pieces:
                while not pieces.full:
                    await asyncio.sleep(0.005)
                await hg.close()
        self.assertEqual(process.returncode, 0)
        # By a blow.
        async with AsyncClient(cwd=self.scene.dir, **self.scene.faking) as hg:
            os.unlink(path)
            task = asyncio.ensure_future(hg.run("rest", path))
            await written(path)
            hg._process.kill()
            with self.assertRaises(ConnectionLost):
                await task
        with self.assertRaises(ConnectionLost):
            await AsyncClient(command=[os.path.join(self.scene.dir, "nowhere")]).start()

    @needs_hg
    async def test_follow(self):
        root = self.scene.recorded("linear")
        told = []
        async with AsyncClient(root, on_notification=lambda method, params: told.append(method), **self.scene.real) as hg:
            async with hg.follow() as changes:
                self.assertEqual(changes.opened.root, root)
                before = changes.opened.generation
                self.scene.hg(root, "bookmark", "here")
                change = await asyncio.wait_for(changes.__anext__(), 30)
                self.assertIn("refs", change.kinds)
                self.assertNotEqual(change.generation, before)
                self.assertEqual([b.name for b in (await hg.refs(["bookmarks"])).bookmarks], ["here"])
            self.assertIn("repository/didChange", told)

    @needs_hg
    async def test_questions(self):
        root = self.scene.deleted_and_changed()

        async def prompt(p):
            await asyncio.sleep(0)
            return "d"

        async def edit(e):
            self.assertEqual((await hg.state()).branch, "default")
            return "merged\n"

        async with AsyncClient(root, prompt=prompt, edit=edit, **self.scene.real) as hg:
            (await hg.run("merge")).check()
            (await hg.run("commit")).check()
            self.assertEqual((await hg.log("tip")).commits[0].desc, "merged")
            self.assertEqual(hg._answering, {})


if __name__ == "__main__":
    unittest.main()
