package carafe.api;

import carafe.engine.ContainerDetails;
import carafe.engine.ContainerDetails.MountPoint;
import carafe.engine.ContainerSnapshot;
import carafe.engine.ContainerSummary;
import carafe.engine.State;
import carafe.spec.Json;
import carafe.spec.docker.Timestamps;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Containers in Docker's words: a line of a list, and all that inspect tells.
final class ContainerMessages {

    private ContainerMessages() {}

    /// One element of `GET /containers/json`.
    static Json summary(ContainerSummary line) {
        ContainerSnapshot container = line.container();
        var json = Json.object()
                .put("Id", container.id())
                .put("Names", Json.ofTexts(List.of("/" + container.name())))
                .put("Image", line.imageShown())
                .put("ImageID", container.image().id())
                .put("Command", command(container.command()))
                .put("Created", container.created().getEpochSecond())
                .put("Ports", NetworkMessages.portList(line.networks()));
        line.size().ifPresent(size -> {
            json.put("SizeRw", size.writableBytes());
            json.put("SizeRootFs", size.rootBytes());
        });
        return json.put("Labels", Json.ofMap(container.config().labels()))
                .put("State", container.state().word())
                .put("Status", line.status())
                .put("HostConfig", Json.object().put("NetworkMode", networkMode(container)).build())
                .put("NetworkSettings", Json.object().put("Networks", NetworkMessages.places(line.networks())).build())
                .put("Mounts", mounts(line.mounts()))
                .build();
    }

    /// The answer of `GET /containers/{id}/json`.
    static Json details(ContainerDetails details, ApiVersion version) {
        ContainerSnapshot container = details.container();
        var command = container.command();
        var json = Json.object()
                .put("Id", container.id())
                .put("Created", Timestamps.print(container.created()))
                .put("Path", command.isEmpty() ? "" : command.getFirst())
                .put("Args", Json.ofTexts(command.isEmpty() ? command : command.subList(1, command.size())))
                .put("State", state(container.state()))
                .put("Image", container.image().id())
                .put("ResolvConfPath", details.files().resolver().toString())
                .put("HostnamePath", details.files().hostname().toString())
                .put("HostsPath", details.files().hosts().toString())
                .put("LogPath", details.files().log().toString())
                .put("Name", "/" + container.name())
                .put("RestartCount", container.restarts().count())
                .put("Driver", details.driver())
                .put("Platform", container.image().os())
                .put("MountLabel", "")
                .put("ProcessLabel", "")
                .put("AppArmorProfile", details.appArmorProfile())
                .put("ExecIDs", details.execIds().isEmpty() ? Json.NULL : Json.ofTexts(details.execIds()))
                .put("HostConfig", container.host().document());
        if (version.before(52)) {
            json.put("GraphDriver", Json.object()
                    .put("Data", Json.ofMap(details.layers()))
                    .put("Name", details.driver())
                    .build());
        }
        details.size().ifPresent(size -> {
            json.put("SizeRw", size.writableBytes());
            json.put("SizeRootFs", size.rootBytes());
        });
        return json.put("Mounts", mounts(details.mounts()))
                .put("Config", container.config().document())
                .put("NetworkSettings", NetworkMessages.settings(details.networks(), version))
                .build();
    }

    /// The words in one line; those with blanks, but for the first, in quotes.
    private static String command(List<String> words) {
        var text = new StringBuilder();
        for (int i = 0; i < words.size(); i++) {
            boolean quoted = i > 0 && words.get(i).indexOf(' ') >= 0;
            text.append(i > 0 ? " " : "").append(quoted ? "'" + words.get(i) + "'" : words.get(i));
        }
        return text.toString();
    }

    private static Json state(State state) {
        var json = Json.object()
                .put("Status", state.word())
                .put("Running", state.alive() || state instanceof State.Restarting)
                .put("Paused", state instanceof State.Paused)
                .put("Restarting", state instanceof State.Restarting)
                .put("OOMKilled", ended(state).map(State.Exited::oomKilled).orElse(false))
                .put("Dead", false);
        Optional<State.Running> running = running(state);
        var failure = failure(state);
        int exitCode = failure.map(State.Failure::exitCode)
                .or(() -> ended(state).map(State.Exited::exitCode))
                .orElse(0);
        Optional<Instant> started =
                running.map(State.Running::startedAt).or(() -> ended(state).map(State.Exited::startedAt));
        return json.put("Pid", running.map(State.Running::pid).orElse(0))
                .put("ExitCode", exitCode)
                .put("Error", failure.map(State.Failure::message).orElse(""))
                .put("StartedAt", Timestamps.print(started))
                .put("FinishedAt", Timestamps.print(ended(state).map(State.Exited::finishedAt)))
                .build();
    }

    private static Optional<State.Running> running(State state) {
        return switch (state) {
            case State.Running running -> Optional.of(running);
            case State.Paused(var running) -> Optional.of(running);
            case State.Created _, State.Restarting _, State.Exited _, State.Removing _ ->
                Optional.empty();
        };
    }

    private static Optional<State.Exited> ended(State state) {
        return switch (state) {
            case State.Exited exited -> Optional.of(exited);
            case State.Restarting(var last, _) -> Optional.of(last);
            case State.Removing(var last) -> ended(last);
            case State.Created _, State.Running _, State.Paused _ -> Optional.empty();
        };
    }

    private static Optional<State.Failure> failure(State state) {
        return switch (state) {
            case State.Created(var failure) -> failure;
            case State.Exited exited -> exited.failure();
            case State.Removing(var last) -> failure(last);
            case State.Running _, State.Paused _, State.Restarting _ -> Optional.empty();
        };
    }

    private static Json mounts(List<MountPoint> mounts) {
        return Json.ofAll(mounts.stream().map(ContainerMessages::mount).toList());
    }

    private static Json mount(MountPoint mount) {
        var json = Json.object().put("Type", mount.type());
        if (!mount.name().isEmpty()) {
            json.put("Name", mount.name());
        }
        json.put("Source", mount.source()).put("Destination", mount.target());
        if (!mount.driver().isEmpty()) {
            json.put("Driver", mount.driver());
        }
        return json
                .put("Mode", mount.mode())
                .put("RW", mount.writable())
                .put("Propagation", mount.propagation())
                .build();
    }

    private static String networkMode(ContainerSnapshot container) {
        return container.host().namespaces().network();
    }
}
