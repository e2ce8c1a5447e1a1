package carafe.kernel;

import static carafe.kernel.Arg.cwd;
import static carafe.kernel.Arg.none;
import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.text;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Measures starts as the daemon makes them, with all that belongs to a container but its control group and its
/// filters: `java … carafe.kernel.LaunchBench [ROUNDS] [flags]`. Prints medians; asserts nothing. `steps` among the
/// flags prints every step of the tape, `bare` leaves namespaces and mounts out.
public final class LaunchBench {

    private static final long NAMESPACES = Linux.CLONE_NEWNS | Linux.CLONE_NEWPID | Linux.CLONE_NEWUTS
            | Linux.CLONE_NEWIPC | Linux.CLONE_NEWCGROUP;
    private static final Slot ROOT = new Slot("root");

    private LaunchBench() {}

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 500;
        var flags = List.of(args);
        var work = Files.createTempDirectory("launch-bench");
        var lower = Files.createDirectories(work.resolve("lower"));
        Files.copy(Stage.PROBE, lower.resolve("probe"));
        for (var point : List.of("proc", "dev/pts", "dev/mqueue", "sys")) {
            Files.createDirectories(lower.resolve(point));
        }
        var total = new long[rounds];
        var launch = new long[rounds];
        var prepared = new long[rounds];
        var played = new long[rounds];
        Map<String, long[]> steps = new LinkedHashMap<>();
        try (var spawner = Spawner.start(Stage.NATIVE.resolve("carafe-spawner"))) {
            for (int round = -rounds; round < rounds; round++) {
                int at = Math.max(0, round);
                long began = System.nanoTime();
                try (var stage = new Stage(work.resolve("run" + round));
                        var root = flags.contains("bare") ? null : overlay(lower, work.resolve("rw" + round))) {
                    stage.pipes(Optional.empty());
                    if (root != null) {
                        stage.descriptors.put(ROOT, root);
                        stage.cloneFlags = NAMESPACES;
                        stage.steps.addAll(isolation());
                    }
                    stage.steps.add(Stage.execOf(root == null ? Stage.PROBE.toString() : "/probe", "true"));
                    long ready = System.nanoTime();
                    try (var launched = spawner.launch(stage.launch(stage.steps), Stage.DEADLINE)) {
                        long running = System.nanoTime();
                        launched.awaitExit();
                        total[at] = System.nanoTime() - began;
                        launch[at] = running - ready;
                        prepared[at] = ready - began;
                        var last = launched.times().getLast();
                        played[at] = last.start().plus(last.took()).toNanos();
                        for (int i = 0; i < launched.times().size(); i++) {
                            var time = launched.times().get(i);
                            steps.computeIfAbsent(i + " " + time.id(), _ -> new long[rounds])[at] =
                                    time.took().toNanos();
                        }
                    }
                }
            }
        }
        show("prepared (pipes, listener, overlay)", prepared);
        show("launch", launch);
        show("of which in the monitor", played);
        show("all, until the exit was told", total);
        if (flags.contains("steps")) {
            steps.forEach(LaunchBench::show);
        }
        try (var files = Files.walk(work)) {
            for (var file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static void show(String what, long[] nanos) {
        Arrays.sort(nanos);
        System.out.printf("%-40s p50 %8.1f µs   p90 %8.1f µs%n", what, nanos[nanos.length / 2] / 1e3,
                nanos[nanos.length * 9 / 10] / 1e3);
    }

    private static Fd overlay(Path lower, Path writable) throws Exception {
        var upper = Files.createDirectories(writable.resolve("upper"));
        var work = Files.createDirectories(writable.resolve("work"));
        return FsContext.mount("overlay",
                Map.of("lowerdir", lower.toString(), "upperdir", upper.toString(), "workdir", work.toString()), 0);
    }

    private static List<Step> isolation() {
        var steps = new ArrayList<Step>();
        steps.add(Step.child("private", Syscall.MOUNT, none(), text("/"), none(),
                number(Linux.MS_REC | Linux.MS_PRIVATE, "MS_REC|MS_PRIVATE"), none()));
        steps.add(Step.child("root", Syscall.MOVE_MOUNT, slot(ROOT), text(""), cwd(), text("/tmp"),
                number(Linux.MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH")));
        steps.add(Step.child("root", Syscall.FCHDIR, slot(ROOT)));
        steps.add(mount("proc", "proc"));
        steps.add(mount("devpts", "dev/pts"));
        steps.add(mount("mqueue", "dev/mqueue"));
        steps.add(mount("sysfs", "sys"));
        steps.add(Step.child("pivot", Syscall.PIVOT_ROOT, text("."), text(".")));
        steps.add(Step.child("pivot", Syscall.UMOUNT2, text("."), number(Linux.MNT_DETACH, "MNT_DETACH")));
        steps.add(Step.child("pivot", Syscall.CHDIR, text("/")));
        steps.add(Step.child("hostname", Syscall.SETHOSTNAME, text("bench"), number(5)));
        return steps;
    }

    private static Step mount(String type, String target) {
        return Step.child(type, Syscall.MOUNT, text(type), text(target), text(type),
                number(Linux.MS_NOSUID | Linux.MS_NOEXEC, "MS_NOSUID|MS_NOEXEC"), none());
    }
}
