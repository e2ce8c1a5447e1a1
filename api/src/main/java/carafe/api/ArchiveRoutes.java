package carafe.api;

import carafe.engine.ArchiveTarget;
import carafe.engine.Containers;
import carafe.spec.EngineException.Invalid;
import carafe.spec.docker.PathStat;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/// Files in and out of containers, as tars.
final class ArchiveRoutes {

    private static final String STAT = "X-Docker-Container-Path-Stat";

    private final Containers containers;

    ArchiveRoutes(Containers containers) {
        this.containers = containers;
    }

    void addTo(Routes routes) {
        routes.add("HEAD /containers/{id}/archive", this::stat);
        routes.add("GET /containers/{id}/archive", this::read);
        routes.add("PUT /containers/{id}/archive", this::write);
    }

    private static String path(Call call) throws Invalid {
        String path = call.text("path");
        if (path.isEmpty()) {
            throw new Invalid("bad parameter: 'path' cannot be empty");
        }
        return path;
    }

    private static String header(PathStat stat) {
        return Base64.getEncoder().encodeToString(stat.json().print().getBytes(StandardCharsets.UTF_8));
    }

    private void stat(Call call) throws Exception {
        var stat = containers.pathStat(call.name("id"), path(call));
        call.exchange().respond(200, call.with(STAT, header(stat)), new byte[0]);
    }

    private void read(Call call) throws Exception {
        var opened = new AtomicReference<OutputStream>();
        containers.readArchive(call.name("id"), path(call), stat -> {
            var out = call.exchange().respondStreaming(
                    200, call.with("Content-Type", "application/x-tar", STAT, header(stat)));
            opened.set(out);
            return out;
        });
        Objects.requireNonNull(opened.get()).close(); // only when it is whole: a torn body tells of a failure
    }

    private void write(Call call) throws Exception {
        var target = new ArchiveTarget(path(call), call.flag("noOverwriteDirNonDir"), call.flag("copyUIDGID"));
        containers.writeArchive(call.name("id"), target, call.sentTar());
        call.answerNothing(200);
    }
}
