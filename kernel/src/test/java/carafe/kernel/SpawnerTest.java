package carafe.kernel;

import static carafe.kernel.Arg.cwd;
import static carafe.kernel.Arg.none;
import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.strings;
import static carafe.kernel.Arg.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

final class SpawnerTest {

    private static final Optional<Boolean> NO_INPUT = Optional.empty();

    @RegisterExtension
    final NothingLeft nothingLeft = NothingLeft.open();

    @TempDir
    Path directory;

    private Spawner spawner;

    @BeforeAll
    static void warmUp() throws Exception {
        Stage.warmUp();
    }

    @BeforeEach
    void start() throws Exception {
        spawner = Spawner.start(Stage.NATIVE.resolve("carafe-spawner"));
    }

    @AfterEach
    void stop() throws Exception {
        spawner.close();
        Stage.awaitNoProcess(directory);
    }

    private Stage stage() throws Exception {
        return new Stage(directory.resolve("stage"));
    }

    // ---- what comes back ----

    @Test
    void exitCodeAndRecordComeBack() throws Exception {
        try (var stage = stage()) {
            var before = Instant.now();
            var end = stage.pipes(NO_INPUT).run(spawner, "exit", "7");
            assertThat(end.code()).isEqualTo(7);
            assertThat(end.signal()).isZero();
            assertThat(end.started()).isBetween(before, end.finished());
            assertThat(end.finished()).isBefore(Instant.now());
            assertThat(stage.record()).contains(end);
            assertThat(stage.directory.resolve("exit.tmp")).doesNotExist();
        }
    }

    @Test
    void killingSignalComesBackAsAShellCountsIt() throws Exception {
        try (var stage = stage()) {
            var end = stage.pipes(NO_INPUT).run(spawner, "kill", "9");
            assertThat(end.code()).isEqualTo(137);
            assertThat(end.signal()).isEqualTo(9);
        }
    }

    @Test
    void everyStepHasItsTime() throws Exception {
        try (var stage = stage()) {
            stage.steps.add(Step.monitor("look", Syscall.GETPID));
            try (var launched = stage.pipes(NO_INPUT).start(spawner, "true")) {
                assertThat(launched.times().stream().map(StepTime::id))
                        .containsExactly("look", "clone", "stdio", "stdio", "exec");
                assertThat(launched.times()).allSatisfy(time -> {
                    assertThat(time.took()).isBetween(Duration.ZERO, Stage.DEADLINE);
                    assertThat(time.start()).isBetween(Duration.ZERO, Stage.DEADLINE);
                });
                launched.awaitExit();
            }
        }
    }

    // ---- failures ----

    private TapeFailure failure(Stage stage, List<Step> steps) {
        return catchThrowableOfType(TapeFailure.class, () -> spawner.launch(stage.launch(steps), Stage.DEADLINE));
    }

    @Test
    void failingStepOfTheMonitorIsReported() throws Exception {
        try (var stage = stage()) {
            var open = Step.monitor("open", Syscall.OPENAT, cwd(), text("/no/such"), number(0));
            var failure = failure(stage, List.of(Step.monitor("fine", Syscall.GETPID), open, Stage.exec("true")));
            assertThat(failure.step()).isEqualTo(open);
            assertThat(failure.errno()).isEqualTo(Errno.ENOENT);
            assertThat(failure).hasMessage(
                    "open: openat(AT_FDCWD, \"/no/such\", 0): no such file or directory");
            assertThat(stage.record()).isEmpty();
        }
    }

    @Test
    void failingStepOfTheProcessIsReported() throws Exception {
        try (var stage = stage()) {
            var mount = Step.child("mount", Syscall.MOUNT, text("x"), text("/proc/self"), text("nonsense"), number(0),
                    none());
            stage.cloneFlags = Linux.CLONE_NEWNS;
            var failure = failure(stage, List.of(Step.child("fine", Syscall.GETPID), mount, Stage.exec("true")));
            assertThat(failure.step()).isEqualTo(mount);
            assertThat(failure.errno()).isEqualTo(Errno.ENODEV);
        }
    }

    @Test
    void missingProgramIsReported() throws Exception {
        try (var stage = stage()) {
            assertThat(failure(stage, List.of(Stage.execOf("/no/such"))).errno()).isEqualTo(Errno.ENOENT);
            assertThat(failure(stage, List.of(Stage.execOf("/etc"))).errno()).isEqualTo(Errno.EACCES);
        }
    }

    @Test
    void failingCloneIsReported() throws Exception {
        try (var stage = stage()) {
            stage.descriptors.put(new Slot("cgroup"), stage.keep(Descriptors.memfd("no cgroup")));
            var tape = Tape.builder().add(Stage.exec("true")).intoCgroup(new Slot("cgroup")).build();
            var launch = stage.launch("true");
            assertThatThrownBy(() -> spawner.launch(
                            new Launch(tape, launch.descriptors(), launch.monitor()), Stage.DEADLINE))
                    .isInstanceOf(KernelException.class)
                    .hasMessageStartingWith("clone3 probe")
                    .hasMessageEndingWith("bad file descriptor");
        }
    }

    @Test
    void processKilledWithinItsTapeIsReported() throws Exception {
        try (var stage = stage()) {
            var limit = Step.child("limit", Syscall.PRLIMIT64, number(0), number(Linux.RLIMIT_FSIZE, "RLIMIT_FSIZE"),
                    Arg.struct("{0, 0}", new Arg.Field.Fixed(8, 0), new Arg.Field.Fixed(8, 0)), none());
            var file = new Slot("file");
            stage.descriptors.put(file, stage.keep(Descriptors.memfd("file")));
            var write = Step.child("write", Syscall.FTRUNCATE, slot(file), number(100));
            var failure = failure(stage, List.of(limit, write, Stage.exec("true")));
            assertThat(failure.step()).isEqualTo(write);
            assertThat(failure.signal()).isEqualTo(25); // SIGXFSZ
            assertThat(failure.errno()).isZero();
        }
    }

    @Test
    void toleratedErrorsDoNotFailAndLeaveTheSlotEmpty() throws Exception {
        try (var stage = stage()) {
            var slot = new Slot("maybe");
            stage.steps.add(Step.child("maybe", Syscall.OPENAT, cwd(), text("/no/such"), number(0))
                    .into(slot).tolerating(Errno.ENOENT));
            stage.steps.add(Step.child("use", Syscall.CLOSE, slot(slot)).tolerating(Errno.EBADF));
            assertThat(stage.pipes(NO_INPUT).run(spawner, "exit", "3").code()).isEqualTo(3);
        }
    }

    @Test
    void tapeThatNeverBecomesAProgramFails() throws Exception {
        try (var stage = stage()) {
            var failure = failure(stage, List.of(Step.child("only", Syscall.GETPID)));
            assertThat(failure.errno()).isEqualTo(Errno.ENOEXEC);
        }
    }

    // ---- PATH search ----

    private static Step attempt(String path) {
        return Stage.execOf(path, "exit", "5").orNext(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES);
    }

    @Test
    void searchTriesTheNextDirectory() throws Exception {
        try (var stage = stage()) {
            stage.pipes(NO_INPUT);
            stage.steps.addAll(List.of(attempt("/no/probe"), attempt("/etc/passwd/probe"), attempt("/etc/passwd"),
                    attempt(Stage.PROBE.toString()), attempt("/never")));
            try (var launched = spawner.launch(stage.launch(stage.steps), Stage.DEADLINE)) {
                stage.passedOn();
                assertThat(launched.awaitExit().code()).isEqualTo(5);
                assertThat(launched.times()).hasSize(1 + 2 + 4);
            }
        }
    }

    @Test
    void searchThatFindsNothingReportsTheLastAttempt() throws Exception {
        try (var stage = stage()) {
            var failure = failure(stage, List.of(attempt("/no/a"), attempt("/no/b")));
            assertThat(failure.errno()).isEqualTo(Errno.ENOENT);
            assertThat(failure.step()).isEqualTo(attempt("/no/b"));
        }
    }

    @Test
    void searchRemembersThatAProgramWasDenied() throws Exception {
        try (var stage = stage()) {
            var failure = failure(stage, List.of(attempt("/no/a"), attempt("/etc/passwd"), attempt("/no/b")));
            assertThat(failure.errno()).isEqualTo(Errno.EACCES);
            assertThat(failure.step()).isEqualTo(attempt("/etc/passwd"));
        }
    }

    @Test
    void searchStopsAtAnyOtherError() throws Exception {
        try (var stage = stage()) {
            var garbage = Files.write(directory.resolve("garbage"), new byte[] {1, 2, 3, 4});
            Files.setPosixFilePermissions(garbage, PosixFilePermissions.fromString("rwxr-xr-x"));
            var failure = failure(stage, List.of(attempt(garbage.toString()), attempt(Stage.PROBE.toString())));
            assertThat(failure.errno()).isEqualTo(Errno.ENOEXEC);
        }
    }

    // ---- arguments ----

    @Test
    void structuresPointAndTakeDescriptors() throws Exception {
        try (var stage = stage()) {
            var pipe = stage.keep(Descriptors.pipe(0));
            var end = new Slot("end");
            stage.descriptors.put(end, pipe.second());
            var pollfd = Arg.struct("{end, POLLOUT}", new Arg.Field.Descriptor(end),
                    new Arg.Field.Fixed(2, Linux.POLLOUT), new Arg.Field.Fixed(2, 0));
            stage.steps.add(Step.child("poll", Syscall.PPOLL, pollfd, number(1), none(), none(), number(0)).exactly(1));
            var iovec = Arg.struct("{\"hello\", 5}", new Arg.Field.Pointer(text("hello")), new Arg.Field.Fixed(8, 5));
            var msghdr = Arg.struct("message", new Arg.Field.Fixed(8, 0), new Arg.Field.Fixed(8, 0),
                    new Arg.Field.Pointer(iovec), new Arg.Field.Fixed(8, 1), new Arg.Field.Fixed(8, 0),
                    new Arg.Field.Fixed(8, 0), new Arg.Field.Fixed(8, 0));
            var sockets = stage.keep(Descriptors.socketPair(Linux.SOCK_SEQPACKET));
            var socket = new Slot("socket");
            stage.descriptors.put(socket, sockets.second());
            stage.steps.add(Step.child("send", Syscall.SENDMSG, slot(socket), msghdr, number(0)).exactly(5));
            stage.pipes(NO_INPUT).run(spawner, "true");
            var received = new byte[100];
            assertThat(FdStream.read(sockets.first(), received, 0, received.length)).isEqualTo(5);
            assertThat(new String(received, 0, 5, StandardCharsets.US_ASCII)).isEqualTo("hello");
        }
    }

    @Test
    void unexpectedResultIsAFailure() throws Exception {
        try (var stage = stage()) {
            var pipe = stage.keep(Descriptors.pipe(0));
            stage.descriptors.put(new Slot("go"), pipe.first());
            pipe.second().close();
            var go = Step.child("go", Syscall.READ, slot(new Slot("go")), Arg.bytes(new byte[1], "byte"), number(1))
                    .exactly(1);
            var failure = failure(stage, List.of(go, Stage.exec("true")));
            assertThat(failure.errno()).isEqualTo(Errno.EPIPE);
            assertThat(failure.step()).isEqualTo(go);
        }
    }

    @Test
    void longArgumentsAndEnvironmentArrive() throws Exception {
        try (var stage = stage()) {
            stage.pipes(NO_INPUT);
            var big = "x".repeat(100_000);
            stage.steps.add(Step.child("exec", Syscall.EXECVE, text(Stage.PROBE.toString()),
                    strings(List.of("probe", "print", big)),
                    strings(java.util.stream.IntStream.range(0, 5000).mapToObj(i -> "V" + i + "=" + i).toList())));
            try (var launched = spawner.launch(stage.launch(stage.steps), Stage.DEADLINE)) {
                stage.passedOn();
                assertThat(launched.awaitExit().code()).isZero();
            }
            assertThat(stage.output()).isEqualTo(big);
        }
    }

    @Test
    void whatATapeNeedsMayBeClosedWhenItIsUnderway() throws Exception {
        try (var stage = stage()) {
            stage.pipes(NO_INPUT);
            var launch = stage.launch("print", "here", "then", "exit", "3");
            try (var launched = spawner.launch(launch, Stage.DEADLINE, stage::passedOn)) {
                assertThat(launched.awaitExit().code()).isEqualTo(3);
            }
            assertThat(stage.output()).isEqualTo("here");
        }
    }

    @Test
    void aCallerThatFailsMeanwhileLeavesNoProcess() throws Exception {
        try (var stage = stage()) {
            stage.pipes(NO_INPUT);
            var words = stage.launch("print", "here", "then", "hang");
            assertThatThrownBy(() -> spawner.launch(words, Stage.DEADLINE, () -> {
                throw new IllegalStateException("the caller's");
            })).isInstanceOf(IllegalStateException.class);
            stage.passedOn();
            Stage.awaitNoProcess(directory);
        }
    }

    // ---- rendezvous ----

    @Test
    void rendezvousMeetsTheProcessBeforeItsProgramRuns() throws Exception {
        try (var stage = stage()) {
            var pipe = stage.keep(Descriptors.pipe(0));
            var go = new Slot("go");
            stage.descriptors.put(go, pipe.first());
            stage.steps.add(Step.child("go", Syscall.READ, slot(go), Arg.bytes(new byte[1], "byte"), number(1))
                    .exactly(1));
            var met = new ArrayList<String>();
            stage.rendezvous = Optional.of((pid, pidfd) -> {
                assertThat(Processes.isRunning(pidfd)).isTrue();
                met.add(Processes.executable(pid).orElse("?"));
                FdStream.write(pipe.second(), new byte[] {1});
            });
            try (var launched = stage.pipes(NO_INPUT).start(spawner, "exit", "4")) {
                assertThat(launched.awaitExit().code()).isEqualTo(4);
            }
            assertThat(met).hasSize(1).first().asString().doesNotContain("probe");
        }
    }

    @Test
    void processDiesWhenTheRendezvousFails() throws Exception {
        try (var stage = stage()) {
            var pipe = stage.keep(Descriptors.pipe(0));
            stage.descriptors.put(new Slot("go"), pipe.first());
            stage.steps.add(Step.child("go", Syscall.READ, slot(new Slot("go")), Arg.bytes(new byte[1], "byte"),
                    number(1)).exactly(1));
            stage.rendezvous = Optional.of((_, _) -> {
                throw new KernelException("hook", "x", Errno.EPERM);
            });
            assertThatThrownBy(() -> spawner.launch(stage.pipes(NO_INPUT).launch("true"), Stage.DEADLINE))
                    .hasMessage("hook x: operation not permitted");
            Stage.awaitNoProcess(directory);
        }
    }

    @Test
    void launchThatTakesTooLongIsCancelled() throws Exception {
        try (var stage = stage()) {
            var pipe = stage.keep(Descriptors.pipe(0));
            stage.descriptors.put(new Slot("go"), pipe.first());
            stage.steps.add(Step.child("go", Syscall.READ, slot(new Slot("go")), Arg.bytes(new byte[1], "byte"),
                    number(1)).exactly(1));
            assertThatThrownBy(() -> spawner.launch(stage.pipes(NO_INPUT).launch("true"), Duration.ofMillis(50)))
                    .isInstanceOfSatisfying(
                            KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
            Stage.awaitNoProcess(directory);
        }
    }

    /// What it was in is removed by whoever cancelled it, and can be no sooner.
    @Test
    void programThatRanAlreadyHasEndedWhenItsLaunchIsCancelled() throws Exception {
        try (var stage = stage()) {
            var client = stage.client(MonitorStream.STDOUT);
            stage.rendezvous = Optional.of((_, _) -> {
                read(client); // its monitor relays what it says: it has told that it runs
                stage.passedOn();
                throw new InterruptedException("whoever wanted it does not any more");
            });
            var words = stage.pipes(NO_INPUT).launch("print", "here", "then", "hang");
            assertThatThrownBy(() -> spawner.launch(words, Stage.DEADLINE))
                    .isInstanceOf(InterruptedException.class);
            assertThat(stage.record()).get().extracting(ExitRecord::signal).isEqualTo(9);
        }
    }

    private static void read(SocketChannel client) {
        try {
            client.read(ByteBuffer.allocate(1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- what a process gets and what a monitor is ----

    @Test
    void processIsBornInItsCgroup() throws Exception {
        var unified = Mounts.list().stream()
                .filter(mount -> mount.fsType().equals("cgroup2"))
                .findFirst()
                .orElseThrow();
        var group = Files.createDirectory(Path.of(unified.target(), "test-spawner-" + ProcessHandle.current().pid()));
        try (var stage = stage();
                var directory = Descriptors.open(group, Linux.O_PATH | Linux.O_DIRECTORY, 0)) {
            var slot = new Slot("cgroup");
            stage.pipes(NO_INPUT);
            stage.descriptors.put(slot, directory);
            var plain = stage.launch("hang");
            var tape = Tape.builder().addAll(plain.tape().steps()).intoCgroup(slot).build();
            var launch = new Launch(tape, plain.descriptors(), plain.monitor());
            try (var launched = spawner.launch(launch, Stage.DEADLINE)) {
                assertThat(Files.readString(group.resolve("cgroup.procs")).strip()).isEqualTo("" + launched.pid());
                Processes.signal(launched.pidfd(), Linux.SIGKILL);
                launched.awaitExit();
            }
        } finally {
            Stage.await("an empty cgroup", () -> Files.readString(group.resolve("cgroup.procs")).isEmpty());
            Files.delete(group);
        }
    }

    @Test
    void processInheritsNothingOfOurs() throws Exception {
        try (var stage = stage()) {
            stage.pipes(NO_INPUT).run(spawner, "inherited");
            assertThat(stage.output()).isEqualTo("fd 0\nfd 1\nfd 2\ndeath signal 0\n");
        }
    }

    @Test
    void monitorStandsAloneAndSaysWhoseItIs() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang")) {
            var proc = Path.of("/proc/" + launched.monitorPid());
            assertThat(Files.readString(proc.resolve("comm")).strip()).isEqualTo("carafe-monitor");
            assertThat(Files.readString(proc.resolve("cmdline")).replaceAll("\0+$", ""))
                    .isEqualTo("carafe-monitor probe " + stage.directory);
            var stat = Files.readString(proc.resolve("stat")).replaceAll(".*\\) ", "").split(" ");
            assertThat(stat[3]).as("its own session").isEqualTo("" + launched.monitorPid());
            Processes.signal(launched.pidfd(), Linux.SIGKILL);
            assertThat(launched.awaitExit().signal()).isEqualTo(9);
        }
    }

    @Test
    void programOfTheMonitorCannotBeWrittenThroughProc() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang");
                var exe = Descriptors.open(Path.of("/proc/" + launched.monitorPid() + "/exe"), Linux.O_PATH, 0)) {
            Processes.signal(launched.pidfd(), Linux.SIGKILL);
            launched.awaitExit();
            spawner.close(); // now nobody executes it any more
            Stage.awaitNoProcess(directory);
            Stage.await("the kernel to let go of it", () -> errnoOfWriting(exe) != Errno.ETXTBSY);
            assertThat(errnoOfWriting(exe)).isEqualTo(Errno.EROFS);
        }
    }

    private static int errnoOfWriting(Fd program) {
        return catchThrowableOfType(
                        KernelException.class,
                        () -> Descriptors.open(Path.of(program.path()), Linux.O_WRONLY, 0))
                .errno();
    }

    // ---- deaths ----

    @Test
    void killedSpawnerIsReplacedAndHarmsNobody() throws Exception {
        try (var first = new Stage(directory.resolve("first"));
                var second = new Stage(directory.resolve("second"));
                var running = first.pipes(Optional.of(true)).start(spawner, "copy")) {
            int killed = spawner.pid().orElseThrow();
            try (var process = Processes.open(killed).orElseThrow()) {
                Processes.signal(process, Linux.SIGKILL);
                Stage.await("its death", () -> !Processes.isRunning(process));
            }
            assertThat(second.pipes(NO_INPUT).run(spawner, "exit", "6").code()).isEqualTo(6);
            assertThat(spawner.pid()).isPresent().get().isNotEqualTo(killed);
            assertThat(running.isDone()).isFalse();
            first.link().attach(java.util.Set.of(MonitorStream.STDIN)).close(); // ends the input
            assertThat(running.awaitExit().code()).isZero();
            assertThat(first.output()).isEqualTo("<end>\n");
        }
    }

    @Test
    void killedMonitorIsNoticed() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang");
                var monitor = Processes.open(launched.monitorPid()).orElseThrow()) {
            Processes.signal(monitor, Linux.SIGKILL);
            assertThatThrownBy(launched::awaitExit)
                    .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ECHILD));
            assertThat(Processes.isRunning(launched.pidfd())).isTrue();
            Processes.signal(launched.pidfd(), Linux.SIGKILL);
        }
    }

    @Test
    void closingFailsWhoWaitsAndLeavesProcessesAlone() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang")) {
            spawner.close();
            assertThatThrownBy(launched::awaitExit).hasMessageContaining("operation canceled");
            assertThat(stage.link().state().pid()).isEqualTo(launched.pid());
            assertThatThrownBy(() -> spawner.launch(stage.launch("true"), Stage.DEADLINE))
                    .isInstanceOf(KernelException.class);
            Processes.signal(launched.pidfd(), Linux.SIGKILL);
            Stage.await("the record", () -> stage.record().isPresent());
            assertThat(stage.record().orElseThrow().code()).isEqualTo(137);
        }
    }

    // ---- many ----

    @Test
    void twoHundredLaunchesAtOnceLeaveNothing() throws Exception {
        var tasks = new ArrayList<Callable<Integer>>();
        for (int i = 0; i < 200; i++) {
            var number = i;
            tasks.add(() -> {
                try (var stage = new Stage(directory.resolve("" + number))) {
                    if (number % 10 == 0) {
                        assertThat(failure(stage, List.of(Stage.execOf("/no/such"))).errno()).isEqualTo(Errno.ENOENT);
                        return number % 100;
                    }
                    return stage.pipes(NO_INPUT).run(spawner, "exit", "" + number % 100).code();
                }
            });
        }
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var results = pool.invokeAll(tasks);
            for (int i = 0; i < results.size(); i++) {
                assertThat(results.get(i).get()).isEqualTo(i % 100);
            }
        }
        Stage.awaitNoProcess(directory);
    }
}
