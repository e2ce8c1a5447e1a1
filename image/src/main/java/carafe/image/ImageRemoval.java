package carafe.image;

import carafe.image.ImageUsers.ImageUser;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Decides what the removal of an image takes away, by Docker's rules and in its words; does nothing itself. A name
/// goes first, and the images it means with their last name. By id all names go at once if they are of one repository; of
/// images that share a name the one that it shows takes the others along, another one goes alone. Running
/// containers forbid the removal of the image, stopped ones do unless it is forced.
/// Source: moby daemon/images/image_delete.go (behaviour).
final class ImageRemoval {

    /// The index afterwards, what to report, and the images to delete: one, none, or those of all platforms that had
    /// the name.
    record Plan(ImageIndex next, List<Removal> removals, List<Digest> deleted) {}

    private final Digest id;
    private final ImageUsers users;
    private final List<Removal> removals = new ArrayList<>();
    private final List<Digest> deleted = new ArrayList<>();
    private ImageIndex next;

    private ImageRemoval(Digest id, ImageUsers users, ImageIndex index) {
        this.id = id;
        this.users = users;
        this.next = index;
    }

    /// What the removal of `name` means now.
    static Plan plan(String name, boolean force, ImageUsers users, ImageIndex index) throws EngineException {
        var id = ImageNames.resolve(name, index);
        var removal = new ImageRemoval(id, users, index);
        return ImageNames.isIdPrefix(id, name) || ImageNames.isDigest(name) ? removal.byId(force) : removal.byName(name, force);
    }

    private Plan byName(String name, boolean force) throws EngineException {
        if (!force && isOneReference(next.namesOf(id))) {
            var user = users.of(id).stream().findFirst();
            if (user.isPresent()) {
                throw new EngineException.Conflict("conflict: unable to remove repository reference \"" + name
                        + "\" (must force) - container " + shortId(user.get())
                        + " is using its referenced image " + id.shortHex());
            }
        }
        var reference = ImageNames.stored(Reference.parse(name).withDefaultTag());
        var siblings = next.together(id);
        untag(List.of(reference));
        var left = next.namesOf(id);
        boolean tagged = left.stream().anyMatch(other -> other.repository().equals(reference.repository())
                && other.digest().isEmpty());
        if (reference.digest().isEmpty() && !tagged) {
            untag(left.stream().filter(other -> other.repository().equals(reference.repository())).toList());
        }
        if (next.namesOf(id).isEmpty() && conflict(force).isEmpty()) {
            delete(id);
        } // else its name is gone, which is what was asked, and it stays
        deleteUnnamed(siblings);
        return new Plan(next, removals, List.copyOf(deleted));
    }

    private Plan byId(boolean force) throws EngineException.Conflict {
        var names = next.namesOf(id);
        boolean one = isOneReference(names);
        var conflict = conflict(force);
        if (conflict.isPresent()) {
            throw conflict.get();
        }
        if (!one && !force) {
            throw refused("must be forced", "image is referenced in multiple repositories");
        }
        var shown = names.stream().filter(name -> next.named(name).equals(Optional.of(id))).toList();
        var siblings = new LinkedHashSet<Digest>();
        shown.forEach(name -> siblings.addAll(next.meaning(name)));
        untag(shown);
        delete(id);
        deleteUnnamed(siblings);
        return new Plan(next, removals, List.copyOf(deleted));
    }

    /// Deletes what lost its last name with the image, and is not used.
    private void deleteUnnamed(Collection<Digest> siblings) {
        for (var sibling : siblings) {
            if (!sibling.equals(id) && next.namesOf(sibling).isEmpty() && users.of(sibling).isEmpty()) {
                delete(sibling);
            }
        }
    }

    private void delete(Digest image) {
        removals.add(new Removal.Deleted(image));
        deleted.add(image);
        next = next.withoutImage(image);
    }

    private void untag(List<Reference> names) {
        names.forEach(name -> removals.add(new Removal.Untagged(name.familiar(), id)));
        next = next.withoutNames(names);
    }

    private Optional<EngineException.Conflict> conflict(boolean force) {
        var all = users.of(id);
        var running = all.stream().filter(ImageUser::running).findFirst();
        if (running.isPresent()) {
            return Optional.of(refused("cannot be forced",
                    "image is being used by running container " + shortId(running.get())));
        }
        if (!force && !all.isEmpty()) {
            return Optional.of(refused("must be forced",
                    "image is being used by stopped container " + shortId(all.getFirst())));
        }
        return Optional.empty();
    }

    private EngineException.Conflict refused(String how, String why) {
        return new EngineException.Conflict("conflict: unable to delete " + id.shortHex() + " (" + how + ") - " + why);
    }

    private static String shortId(ImageUser user) {
        String containerId = user.containerId();
        return containerId.length() > 12 ? containerId.substring(0, 12) : containerId;
    }

    /// One name at most, or one tag with digests of the same repository.
    private static boolean isOneReference(List<Reference> names) {
        if (names.size() <= 1) {
            return true;
        }
        var repositories = new HashSet<String>();
        names.forEach(name -> repositories.add(name.repository()));
        long tags = names.stream().filter(name -> name.digest().isEmpty()).count();
        return repositories.size() == 1 && tags <= 1 && names.size() - tags <= 1;
    }

    /// What to report of an image's layers, topmost first, when those in `removed` went away.
    static List<Removal> layers(List<Digest> diffIds, Set<Digest> removed) {
        var reports = new ArrayList<Removal>();
        Digest chain = null;
        for (var diffId : diffIds) {
            chain = chain == null ? diffId
                    : Digest.sha256((chain + " " + diffId).getBytes(StandardCharsets.US_ASCII));
            if (removed.contains(diffId)) {
                reports.addFirst(new Removal.LayerDeleted(chain));
            }
        }
        return reports;
    }
}
