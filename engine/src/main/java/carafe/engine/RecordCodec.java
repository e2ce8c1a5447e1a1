package carafe.engine;

import carafe.engine.store.Row;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.MountRequest;
import carafe.spec.docker.NetworkingConfig;
import carafe.spec.docker.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Optional;

/// Between a [ContainerSnapshot] and its database row. What a container is goes into `document`, which changes rarely;
/// where it is in its life goes into `status`, which every start and exit rewrites. Moments that the kernel knows
/// better (paused, pid of a running one) are written only as hints for after a crash of the host.
final class RecordCodec {
    private RecordCodec() {}

    static Row row(ContainerSnapshot container) {
        long created = container.created().getEpochSecond() * 1_000_000_000L + container.created().getNano();
        return new Row(
                container.id(), container.name(), container.state().word(), created, document(container),
                status(container));
    }

    static String document(ContainerSnapshot container) {
        return Json.object()
                .put("Created", container.created().toString())
                .put("Image", Json.object()
                        .put("Reference", container.image().reference())
                        .put("Id", container.image().id())
                        .put("Os", container.image().os())
                        .build())
                .put("Command", Json.ofTexts(container.command()))
                .put("Config", container.config().document())
                .put("HostConfig", container.host().document())
                .put("NetworkingConfig", container.networking().json())
                .put("Mounts", Json.ofAll(
                        container.host().files().mounts().stream().map(MountRequest::json).toList()))
                .build()
                .print();
    }

    static String status(ContainerSnapshot container) {
        return Json.object()
                .put("State", state(container.state()))
                .put("RestartCount", container.restarts().count())
                .put("StoppedByUser", container.restarts().stoppedByUser())
                .put("ComingBack", container.restarts().comingBack())
                .build()
                .print();
    }

    static ContainerSnapshot read(Row row) throws EngineException {
        try {
            var document = (Json.Obj) Json.parse(row.document());
            var status = (Json.Obj) Json.parse(row.status());
            var image = document.object("Image");
            return new ContainerSnapshot(
                    row.id(),
                    row.name(),
                    Instant.parse(document.text("Created")),
                    new ContainerSnapshot.Image(image.text("Reference"), image.text("Id"), image.text("Os")),
                    document.texts("Command"),
                    ContainerConfig.parse(document.object("Config")),
                    host(document),
                    NetworkingConfig.parse(document.object("NetworkingConfig")),
                    state(status.object("State")),
                    new ContainerSnapshot.Restarts(
                            (int) status.number("RestartCount", 0), status.truth("StoppedByUser"),
                            status.truth("ComingBack")));
        } catch (EngineException | RuntimeException e) {
            throw new EngineException.Internal(
                    "the record of container " + row.id() + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static HostConfig host(Json.Obj document) throws EngineException {
        var host = HostConfig.parse(document.object("HostConfig"));
        if (document.find("Mounts").isEmpty()) { // written before there were volumes
            return host;
        }
        var mounts = new ArrayList<MountRequest>();
        for (var mount : document.objects("Mounts")) {
            mounts.add(MountRequest.of(mount));
        }
        return host.withMounts(mounts);
    }

    private static Json.Obj state(State state) {
        var json = Json.object().put("Kind", state.word());
        switch (state) {
            case State.Created(var failure) -> put(json, failure);
            case State.Running running -> put(json, running);
            case State.Paused(var running) -> put(json, running);
            case State.Restarting(var last, var next) -> {
                put(json, last);
                json.put("NextStart", next.toString());
            }
            case State.Exited exited -> put(json, exited);
            case State.Removing(var last) -> {
                return state(last); // removal is not written: the row goes, or nothing happened
            }
        }
        return json.build();
    }

    private static void put(Json.Builder json, State.Running running) {
        json.put("Pid", running.pid()).put("StartedAt", running.startedAt().toString());
    }

    private static void put(Json.Builder json, State.Exited exited) {
        json.put("ExitCode", exited.exitCode())
                .put("OomKilled", exited.oomKilled())
                .put("StartedAt", exited.startedAt().toString())
                .put("FinishedAt", exited.finishedAt().toString());
        put(json, exited.failure());
    }

    private static void put(Json.Builder json, Optional<State.Failure> failure) {
        failure.ifPresent(known -> json.put("Failure", Json.object()
                .put("ExitCode", known.exitCode())
                .put("Message", known.message())
                .build()));
    }

    private static State state(Json.Obj json) throws EngineException.Invalid {
        return switch (json.text("Kind")) {
            case "created" -> new State.Created(failure(json));
            case "running" -> running(json);
            case "paused" -> new State.Paused(running(json));
            case "restarting" -> new State.Restarting(exited(json), time(json, "NextStart"));
            case "exited" -> exited(json);
            default -> throw new EngineException.Invalid("unknown state \"" + json.text("Kind") + "\"");
        };
    }

    private static State.Running running(Json.Obj json) throws EngineException.Invalid {
        return new State.Running((int) json.number("Pid", 0), time(json, "StartedAt"));
    }

    private static State.Exited exited(Json.Obj json) throws EngineException.Invalid {
        return new State.Exited(
                (int) json.number("ExitCode", 0),
                json.truth("OomKilled"),
                time(json, "StartedAt"),
                time(json, "FinishedAt"),
                failure(json));
    }

    private static Optional<State.Failure> failure(Json.Obj json) throws EngineException.Invalid {
        var failure = json.object("Failure");
        return failure.fields().isEmpty()
                ? Optional.empty()
                : Optional.of(new State.Failure((int) failure.number("ExitCode", 0), failure.text("Message")));
    }

    private static Instant time(Json.Obj json, String key) throws EngineException.Invalid {
        return Timestamps.parse(json.text(key)).orElseThrow(
                () -> new EngineException.Invalid("\"" + key + "\" is missing"));
    }
}
