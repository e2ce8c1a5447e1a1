package carafe.engine;

import carafe.image.Snapshots;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;

/// Makes containers: name reserved, directories made while the row is on its way to the disk, then shown. What a crash
/// leaves in between is a directory without a row, which the next start of the engine sweeps.
final class Creator {
    private final Book book;
    private final ContainerPlanner planner;
    private final Snapshots snapshots;
    private final Layout layout;
    private final Steps steps;
    private final SecureRandom random = new SecureRandom();

    Creator(Book book, ContainerPlanner planner, Snapshots snapshots, Layout layout, Steps steps) {
        this.book = book;
        this.planner = planner;
        this.snapshots = snapshots;
        this.layout = layout;
        this.steps = steps;
    }

    CreateResult create(CreateRequest request) throws EngineException {
        String id = newId();
        String asked = request.name().isEmpty() ? "" : ContainerPlanner.checkName(request.name());
        var plan = planner.plan(request, id, asked);
        String name = asked;
        if (asked.isEmpty()) {
            name = book.reserveAny(id);
        } else {
            book.reserve(asked, id);
        }
        try {
            steps.pass("create.name");
            bindSources(plan.container());
            make(plan, plan.container().named(name));
        } finally {
            book.releaseUnlessUsed(name, id);
        }
        return new CreateResult(id, plan.warnings());
    }

    private void make(ContainerPlanner.Plan plan, ContainerSnapshot container) throws EngineException {
        String id = container.id();
        try {
            steps.pass("create.row");
            RootfsPlan.Overlay root;
            var writing = book.insert(container);
            try {
                steps.pass("create.snapshot");
                root = snapshots.prepare(id, plan.image());
                steps.pass("create.directory");
                Files.createDirectory(layout.container(id));
                steps.pass("create.durable");
            } finally {
                writing.await();
            }
            book.add(container).root(root);
            book.tell(container, "create");
        } catch (EngineException e) {
            undo(container, e);
            throw e;
        } catch (IOException e) {
            var failure = Failures.io("cannot make the container's directory " + layout.container(id), e);
            undo(container, failure);
            throw failure;
        }
    }

    /// Takes back what was made, the row first; directories that stay without a row are swept at the next start. A row
    /// that cannot be erased now is a container, and shown as one: it can be removed, and its name is not free.
    private void undo(ContainerSnapshot container, EngineException reason) {
        try {
            steps.pass("create.undo");
            book.erase(container.id()).await();
        } catch (EngineException e) {
            reason.addSuppressed(e);
            book.add(container);
            return;
        }
        try {
            snapshots.remove(container.id());
            Files.deleteIfExists(layout.container(container.id()));
        } catch (EngineException | IOException e) {
            reason.addSuppressed(e);
        }
    }

    /// Makes the missing directories that `-v` binds; refuses what `--mount` binds and is not there.
    private static void bindSources(ContainerSnapshot container) throws EngineException {
        for (var mount : container.host().files().mounts()) {
            if (mount instanceof MountRequest.Bind bind && !Files.exists(Path.of(bind.source()))) {
                if (!bind.create()) {
                    throw new EngineException.Invalid("invalid mount config for type \"bind\": bind source path does"
                            + " not exist: " + bind.source());
                }
                try {
                    Files.createDirectories(Path.of(bind.source()));
                } catch (IOException e) {
                    throw Failures.io("error while creating mount source path '" + bind.source() + "'", e);
                }
            }
        }
    }

    /// 64 hexadecimal characters, the first twelve not all digits, so that a short id is never taken for a number.
    private String newId() {
        byte[] bytes = new byte[32];
        while (true) {
            random.nextBytes(bytes);
            String id = HexFormat.of().formatHex(bytes);
            if (!id.substring(0, 12).chars().allMatch(Character::isDigit)) {
                return id;
            }
        }
    }
}
