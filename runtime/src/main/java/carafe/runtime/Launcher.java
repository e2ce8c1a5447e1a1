package carafe.runtime;

import carafe.kernel.Arg;
import carafe.kernel.KernelException;
import carafe.kernel.Launch;
import carafe.kernel.Launched;
import carafe.kernel.MonitorPlan;
import carafe.kernel.Part;
import carafe.kernel.Spawner;
import carafe.kernel.Step;
import carafe.kernel.Syscall;
import carafe.kernel.Tape;
import carafe.kernel.TapeFailure;
import carafe.spec.Failpoints;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/// Hands a finished tape with its descriptors to the spawner and waits until the program runs. Failures become
/// sentences here. Each step of a tape is a failpoint `tape.<id>`: where it fails the step becomes one that cannot
/// succeed, so that the failure takes the way of a real one.
final class Launcher {

    /// A start takes milliseconds; this is for a machine that is out of memory or swapping.
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final Spawner spawner;
    private final Failpoints failpoints;

    Launcher(Spawner spawner, Failpoints failpoints) {
        this.spawner = spawner;
        this.failpoints = failpoints;
    }

    /// Whom the monitor serves and where it writes.
    record Service(String title, boolean terminal, Stdio stdio, Optional<LogOptions> log,
            List<AttachEndpoint> clients) {}

    /// `underway` is run when the spawner has all that it needs; the descriptors of the tape are closed then.
    Launched launch(Tape tape, Prepared prepared, Service service, ProcessPlan process, Runnable underway)
            throws StartFailure {
        var descriptors = new LinkedHashMap<>(prepared.descriptors);
        var clients = new ArrayList<MonitorPlan.Client>();
        for (var client : service.clients) {
            if (!(client instanceof LinuxEndpoint endpoint)) {
                throw new IllegalArgumentException("an endpoint of another runtime: " + client);
            }
            var slot = Slots.client(clients.size());
            descriptors.put(slot, endpoint.far());
            clients.add(new MonitorPlan.Client(slot, LinuxProcess.kernelStreams(endpoint.streams())));
        }
        var plan = new MonitorPlan(
                service.title, stdio(service), new MonitorPlan.Door(Optional.of(Slots.DOOR), clients),
                service.log.filter(LogOptions::enabled).map(Launcher::log),
                Optional.of(new MonitorPlan.Exit(Slots.RUN_DIRECTORY, RunRecord.EXIT)));
        try {
            var launched = spawner.launch(new Launch(injected(tape), descriptors, plan), DEADLINE, () -> {
                underway.run();
                prepared.closePassed();
            });
            service.clients.forEach(client -> ((LinuxEndpoint) client).far().close());
            return launched;
        } catch (TapeFailure e) {
            throw Sentences.playing(e, new Sentences.Program(
                    process.args().getFirst(), process.cwd(), prepared.root));
        } catch (KernelException e) {
            throw Sentences.spawning(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StartFailure(StartFailure.Kind.SPAWNER, "", Sentences.START + "the start was interrupted", e);
        }
    }

    private static MonitorPlan.Stdio stdio(Service service) {
        if (service.terminal) {
            return new MonitorPlan.Terminal(Slots.TERMINAL_MASTER, Slots.TERMINAL, service.stdio.open());
        }
        return new MonitorPlan.Pipes(
                service.stdio.open() ? Optional.of(Slots.STDIN_WRITER) : Optional.empty(),
                Optional.of(Slots.STDOUT_READER), Optional.of(Slots.STDERR_READER), service.stdio.once());
    }

    private static MonitorPlan.Log log(LogOptions options) {
        return new MonitorPlan.Log(Slots.LOG_DIRECTORY, String.valueOf(options.file().getFileName()),
                options.maxSizeBytes(), options.maxFiles());
    }

    private Tape injected(Tape tape) {
        if (!failpoints.active()) {
            return tape;
        }
        var steps = new ArrayList<Step>();
        for (var step : tape.steps()) {
            try {
                failpoints.pass("tape." + step.id());
                steps.add(step);
            } catch (Failpoints.Injected e) {
                var failing = step.part() == Part.MONITOR
                        ? Step.monitor(step.id(), Syscall.CLOSE, Arg.number(-1))
                        : Step.child(step.id(), Syscall.CLOSE, Arg.number(-1));
                steps.add(step.outcome().result().isPresent()
                        ? failing.into(step.outcome().result().get())
                        : failing);
            }
        }
        return new Tape(steps, tape.cloneFlags(), tape.cgroup(), tape.birthplace(), tape.kept());
    }
}
