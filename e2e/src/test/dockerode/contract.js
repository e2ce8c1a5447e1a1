'use strict';
// The calls that users of dockerode make, by groups: node contract.js SOCKET IMAGE-ARCHIVE GROUP. Ends with 1 and the
// reason when an answer is not what the library's users rely on. The engine has the image busybox:latest.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { PassThrough } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { setTimeout: pause } = require('node:timers/promises');
const Docker = require('dockerode');
const tar = require('tar-stream');

process.exitCode = 1; // until a group has come to its end

const [socketPath, archive, group] = process.argv.slice(2);
const docker = new Docker({ socketPath });

const text = async (stream) => {
  let all = '';
  for await (const piece of stream) all += piece;
  return all;
};

const files = (entries) => {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(entries)) pack.entry({ name }, content);
  pack.finalize();
  return pack;
};

const unpacked = async (stream) => {
  const found = {};
  const extract = tar.extract();
  extract.on('entry', (header, content, next) => text(content).then((all) => { found[header.name] = all; next(); }, next));
  await pipeline(stream, extract);
  return found;
};

const followed = (stream) => new Promise((resolve, reject) => {
  docker.modem.followProgress(stream, (error, events) => (error ? reject(error) : resolve(events)));
});

const refused = async (promise, status, message) => {
  const error = await promise.then(() => assert.fail('was not refused'), (thrown) => thrown);
  assert.equal(error.statusCode, status, String(error));
  assert.match(error.json?.message ?? error.message, message);
};

const created = (script, options = {}) => docker.createContainer({
  Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig: { NetworkMode: 'none' }, ...options,
});

const running = async (script, options) => {
  const container = await created(script, options);
  await container.start();
  return container;
};

const gone = (container) => container.remove({ force: true, v: true });

/** Standard output and error of a stream of frames that ends by itself. */
const demuxed = async (stream) => {
  const out = new PassThrough();
  const err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => { out.end(); err.end(); });
  const [stdout, stderr] = await Promise.all([text(out), text(err)]);
  return { stdout, stderr };
};

const groups = {
  async system() {
    assert.equal((await docker.ping()).toString(), 'OK');
    const version = await docker.version();
    assert.match(version.ApiVersion, /^1\.\d+$/);
    const info = await docker.info();
    assert.equal(info.OSType, 'linux');
    const usage = await docker.df();
    assert.ok(Array.isArray(usage.Images));
    await refused(docker.getContainer('nothere').inspect(), 404, /No such container: nothere/);
  },

  async images() {
    await followed(await docker.loadImage(archive));
    const image = docker.getImage('busybox:latest');
    const { Id: id } = await image.inspect();
    assert.ok((await docker.listImages({ filters: { reference: ['busybox'] } })).some((found) => found.Id === id));
    await image.tag({ repo: 'dockerode/other', tag: 'v1' });
    const other = docker.getImage('dockerode/other:v1');
    assert.equal((await other.inspect()).Id, id);
    assert.ok((await image.history()).length > 0);
    assert.ok('manifest.json' in await unpacked(await other.get()));
    assert.deepEqual(await other.remove(), [{ Untagged: 'dockerode/other:v1' }]);
    await refused(other.inspect(), 404, /No such image/);
    const pruned = await docker.pruneImages({ filters: { dangling: { true: true } } });
    assert.equal(typeof pruned.SpaceReclaimed, 'number');
    await assert.rejects(docker.pull('127.0.0.1:1/nothing:here').then(followed));
  },

  async build() {
    const stream = await docker.buildImage(
      files({ Dockerfile: 'FROM busybox\nARG WORD\nCOPY a /a\nRUN cat /a && echo $WORD > /b\nLABEL made=here\n', a: 'of the context\n' }),
      { t: 'dockerode/built', buildargs: JSON.stringify({ WORD: 'argued' }), labels: { by: 'dockerode' } });
    const events = await followed(stream);
    const said = events.map((event) => event.stream ?? '').join('');
    assert.match(said, /of the context/);
    assert.match(said, /Successfully built [0-9a-f]{12}/);
    assert.match(said, /Successfully tagged dockerode\/built:latest/);
    assert.match(events.find((event) => event.aux).aux.ID, /^sha256:/);
    const image = docker.getImage('dockerode/built');
    const { Config: config } = await image.inspect();
    assert.deepEqual(config.Labels, { by: 'dockerode', made: 'here', maker: 'e2e' });
    await image.remove();
    const broken = await followed(await docker.buildImage(files({ Dockerfile: 'FROM busybox\nRUN exit 3\n' }), {}));
    assert.match(broken.at(-1).error, /returned a non-zero code: 3/);
    assert.equal(broken.at(-1).errorDetail.code, 3);
    const here = await docker.buildImage({ context: __dirname, src: ['Dockerfile', 'package.json'] }, { t: 'dockerode/here' });
    await followed(here);
    await docker.getImage('dockerode/here').remove();
  },

  async lifecycle() {
    const container = await running('trap "exit 7" TERM; while :; do sleep 0.1; done', { name: 'dockerode-life', Labels: { a: 'b' } });
    try {
      assert.equal((await container.inspect()).State.Running, true);
      await refused(docker.createContainer({ Image: 'busybox', name: 'dockerode-life' }), 409, /is already in use/);
      const again = await container.start().then(() => assert.fail('started twice'), (error) => error);
      assert.equal(again.statusCode, 304);
      const listed = await docker.listContainers({ filters: { label: ['a=b'] } });
      assert.deepEqual(listed.map((found) => found.Id), [container.id]);
      assert.match((await container.top()).Processes.flat().join(' '), /trap/);
      await container.pause();
      assert.equal((await container.inspect()).State.Status, 'paused');
      await container.unpause();
      await container.rename({ name: 'dockerode-renamed' });
      await container.update({ RestartPolicy: { Name: 'no' } });
      await container.restart({ t: 1 });
      while (!(await container.top()).Processes.flat().includes('sleep 0.1')) await pause(10); // its trap is set before
      const waited = container.wait();
      await container.stop({ t: 5 });
      assert.equal((await waited).StatusCode, 7);
      await container.start();
      await container.kill({ signal: 'KILL' });
      assert.equal((await container.wait()).StatusCode, 137);
    } finally {
      await gone(container);
    }
    await refused(container.inspect(), 404, /No such container/);
  },

  async attach() {
    const container = await created('read word; echo "out $word"; echo "err $word" >&2', { OpenStdin: true, StdinOnce: true });
    try {
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      await container.start();
      const all = demuxed(stream);
      stream.end('spoken\n');
      assert.deepEqual(await all, { stdout: 'out spoken\n', stderr: 'err spoken\n' });
      assert.equal((await container.wait()).StatusCode, 0);
    } finally {
      await gone(container);
    }
  },

  async terminal() {
    const container = await created('read word; stty size; echo "seen $word"', { OpenStdin: true, StdinOnce: true, Tty: true });
    try {
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      await container.start();
      await container.resize({ h: 30, w: 100 });
      const all = text(stream);
      stream.write('typed\n');
      assert.match(await all, /30 100\r\nseen typed\r\n/);
    } finally {
      await gone(container);
    }
  },

  async run() {
    const out = new PassThrough();
    const all = text(out);
    const [result, container] = await docker.run('busybox', ['sh', '-c', 'echo from run; exit 4'], out,
      { HostConfig: { NetworkMode: 'none' } });
    out.end();
    assert.equal(result.StatusCode, 4);
    assert.match(await all, /from run\r\n/);
    await gone(container);
  },

  async logs() {
    const container = await running('for i in 1 2 3; do echo line $i; echo wrong $i >&2; sleep 0.1; done');
    try {
      const stream = await container.logs({ follow: true, stdout: true, stderr: true });
      assert.deepEqual(await demuxed(stream), { stdout: 'line 1\nline 2\nline 3\n', stderr: 'wrong 1\nwrong 2\nwrong 3\n' });
      const last = (await container.logs({ stdout: true, stderr: true, tail: 2 })).toString();
      assert.match(last, /line 3\n/);
      assert.doesNotMatch(last, /line 2/);
    } finally {
      await gone(container);
    }
  },

  async exec() {
    const container = await running('sleep 60');
    try {
      const exec = await container.exec({
        Cmd: ['sh', '-c', 'read word; echo "$word $A"; echo no >&2; exit 5'], Env: ['A=b'],
        AttachStdin: true, AttachStdout: true, AttachStderr: true,
      });
      const stream = await exec.start({ hijack: true, stdin: true });
      const all = demuxed(stream);
      stream.end('said\n');
      assert.deepEqual(await all, { stdout: 'said b\n', stderr: 'no\n' });
      const seen = await exec.inspect();
      assert.equal(seen.Running, false);
      assert.equal(seen.ExitCode, 5);
      const quiet = await container.exec({ Cmd: ['true'] });
      await quiet.start({ Detach: true });
    } finally {
      await gone(container);
    }
  },

  async events() {
    const stream = await docker.getEvents({ filters: { type: ['container'], event: ['create', 'start', 'die', 'destroy'] } });
    const container = await running('exit 6');
    await container.wait();
    await gone(container);
    const seen = [];
    let rest = '';
    for await (const piece of stream) {
      rest += piece;
      const lines = rest.split('\n');
      rest = lines.pop();
      seen.push(...lines.filter(Boolean).map((line) => JSON.parse(line)).filter((event) => event.Actor.ID === container.id));
      if (seen.some((event) => event.Action === 'destroy')) break;
    }
    assert.deepEqual(seen.map((event) => event.Action), ['create', 'start', 'die', 'destroy']);
    assert.equal(seen[2].Actor.Attributes.exitCode, '6');
  },

  async stats() {
    const container = await running('sleep 60');
    try {
      const once = await container.stats({ stream: false });
      assert.equal(once.id, container.id);
      assert.ok(once.memory_stats.usage > 0);
      const stream = await container.stats({ stream: true });
      for await (const piece of stream) {
        assert.equal(JSON.parse(piece).id, container.id);
        break;
      }
    } finally {
      await gone(container);
    }
  },

  async archives() {
    const container = await created('cat /into/sent > /made');
    try {
      await container.putArchive(files({ 'into/sent': 'carried\n' }), { path: '/' });
      await container.start();
      assert.equal((await container.wait()).StatusCode, 0);
      assert.deepEqual(await unpacked(await container.getArchive({ path: '/made' })), { made: 'carried\n' });
      const about = await container.infoArchive({ path: '/made' });
      const stat = JSON.parse(Buffer.from(about.headers['x-docker-container-path-stat'], 'base64'));
      assert.equal(stat.size, 8);
      await refused(container.getArchive({ path: '/missing' }), 404, /Could not find the file/);
      assert.ok((await container.changes()).some((change) => change.Path === '/made' && change.Kind === 1));
      const all = await unpacked(await container.export());
      assert.equal(all.made, 'carried\n');
      const { Id: id } = await container.commit({ repo: 'dockerode/kept', comment: 'by a test' });
      assert.equal((await docker.getImage('dockerode/kept').inspect()).Id, id);
      await docker.getImage('dockerode/kept').remove();
    } finally {
      await gone(container);
    }
  },

  async networks() {
    const network = await docker.createNetwork({ Name: 'dockerode-net', Labels: { a: 'b' } });
    const container = await running('sleep 60', { HostConfig: { NetworkMode: 'dockerode-net' } });
    try {
      const { Containers: inside } = await network.inspect();
      assert.ok(container.id in inside);
      await refused(network.remove(), 403, /has active endpoints/);
      await network.disconnect({ Container: container.id });
      await network.connect({ Container: container.id, EndpointConfig: { Aliases: ['again'] } });
      assert.equal((await docker.listNetworks({ filters: { label: ['a=b'] } })).length, 1);
    } finally {
      await gone(container);
      await network.remove();
    }
    await refused(network.inspect(), 404, /not found/);
  },

  async volumes() {
    const volume = await docker.createVolume({ Name: 'dockerode-volume', Labels: { a: 'b' } });
    const bound = { HostConfig: { NetworkMode: 'none', Binds: ['dockerode-volume:/data'] } };
    const writer = await running('echo kept > /data/file', bound);
    await writer.wait();
    await refused(docker.getVolume('dockerode-volume').remove(), 409, /in use/);
    await writer.remove();
    const reader = await running('cat /data/file', bound);
    try {
      await reader.wait();
      assert.match((await reader.logs({ stdout: true })).toString(), /kept\n$/);
    } finally {
      await gone(reader);
    }
    assert.equal((await docker.listVolumes({ filters: { label: ['a=b'] } })).Volumes.length, 1);
    assert.equal((await docker.getVolume('dockerode-volume').inspect()).Name, 'dockerode-volume');
    await docker.getVolume('dockerode-volume').remove();
  },

  async aborting() {
    const container = await running('while :; do echo tick; sleep 0.05; done');
    try {
      const leave = new AbortController();
      const stream = await container.logs({ follow: true, stdout: true, abortSignal: leave.signal });
      stream.on('error', () => {});
      await new Promise((resolve) => { stream.once('data', resolve); });
      leave.abort();
      await pause(100);
      assert.equal((await container.inspect()).State.Running, true);
    } finally {
      await gone(container);
    }
  },
};

assert.ok(groups[group], `there is no group ${group}; there are ${Object.keys(groups).join(', ')}`);
groups[group]().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
