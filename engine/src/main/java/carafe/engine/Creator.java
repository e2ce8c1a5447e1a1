package carafe.engine;

import carafe.engine.volume.Claim;
import carafe.spec.EngineException;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.security.SecureRandom;
import java.util.HexFormat;

/// Makes containers: name reserved, directories made while the row is on its way to the disk, then shown. What a crash
/// leaves in between is a directory without a row, which the next start of the engine sweeps.
final class Creator {
    private final Book book;
    private final ContainerPlanner planner;
    private final WritableLayers layers;
    private final MountSources sources;
    private final Layout layout;
    private final Steps steps;
    private final SecureRandom random = new SecureRandom();

    Creator(Book book, ContainerPlanner planner, WritableLayers layers, MountSources sources, Layout layout,
            Steps steps) {
        this.book = book;
        this.planner = planner;
        this.layers = layers;
        this.sources = sources;
        this.layout = layout;
        this.steps = steps;
    }

    CreateResult create(CreateRequest request) throws EngineException {
        String id = newId();
        String asked = request.name().isEmpty() ? "" : ContainerPlanner.checkName(request.name());
        try {
            return planned(planner.plan(request, id, asked), id, asked);
        } finally {
            planner.settled(id);
        }
    }

    private CreateResult planned(ContainerPlanner.Plan plan, String id, String asked) throws EngineException {
        String name = asked;
        if (asked.isEmpty()) {
            name = book.reserveAny(id);
        } else {
            book.reserve(asked, id);
        }
        try {
            steps.pass("create.name");
            MountSources.check(plan.container());
            claimed(plan, plan.container().named(name));
        } finally {
            book.releaseUnlessUsed(name, id);
        }
        return new CreateResult(id, plan.warnings());
    }

    /// Takes the volumes first, then makes the container, whose row and those of new volumes are one transaction.
    private void claimed(ContainerPlanner.Plan plan, ContainerSnapshot container) throws EngineException {
        steps.pass("create.volumes");
        Claim claim;
        try {
            claim = sources.volumes().claim(container.id(), container.host().files().mounts());
        } catch (EngineException.NotFound e) {
            throw ContainerPlanner.notTheImage(e);
        }
        boolean made = false;
        try {
            make(plan, container.with(container.host().withMounts(claim.mounts())), claim);
            made = true;
        } finally {
            if (!made && !book.has(container.id())) {
                sources.volumes().abandon(container.id(), claim);
            }
        }
    }

    private void make(ContainerPlanner.Plan plan, ContainerSnapshot container, Claim claim) throws EngineException {
        String id = container.id();
        try {
            steps.pass("create.row");
            RootfsPlan.Overlay root;
            var writing = book.insert(container, claim.rows());
            try {
                steps.pass("create.snapshot");
                root = layers.prepare(container, plan.image());
                sources.created(container, root);
                steps.pass("create.directory");
                Files.createDirectory(layout.container(id));
                steps.pass("create.durable");
            } finally {
                writing.await();
            }
            book.add(container).root(root);
            book.tell(container, "create");
        } catch (EngineException e) {
            undo(container, claim, e);
            throw e;
        } catch (IOException e) {
            var failure = Failures.io("cannot make the container's directory " + layout.container(id), e);
            undo(container, claim, failure);
            throw failure;
        }
    }

    /// Takes back what was made, the row first; directories that stay without a row are swept at the next start. A row
    /// that cannot be erased now is a container, and shown as one: it can be removed, and its name is not free.
    private void undo(ContainerSnapshot container, Claim claim, EngineException reason) {
        try {
            steps.pass("create.undo");
            book.erase(container.id(), sources.volumes().unwanted(container.id(), claim)).await();
        } catch (EngineException e) {
            reason.addSuppressed(e);
            book.add(container);
            return;
        }
        try {
            layers.remove(container.id());
            for (var image : ImageMounts.ids(container)) {
                layers.remove(image);
            }
            Files.deleteIfExists(layout.container(container.id()));
        } catch (EngineException | IOException e) {
            reason.addSuppressed(e);
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
