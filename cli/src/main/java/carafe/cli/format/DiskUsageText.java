package carafe.cli.format;

import carafe.cli.template.TemplateException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// What takes space, thing by thing, as `system df --verbose` shows it.
public final class DiskUsageText {

    private DiskUsageText() {}

    /// The text for what `GET /system/df` answered.
    public static String of(Json.Obj usage, Instant now) throws TemplateException {
        try {
            var images = new ArrayList<ImageRow>();
            for (var image : usage.objects("Images")) {
                images.addAll(ImageRow.of(image, new ImageRow.Style(false, false, now)));
            }
            var containers = new ArrayList<ContainerRow>();
            for (var container : usage.objects("Containers")) {
                var own = container.with("SizeRootFs", Json.of(0)); // the image's share stands in its own row
                containers.add(new ContainerRow(own, false, now));
            }
            return "Images space usage:\n\n"
                    + new Listing(ImageRow.HEADERS, List.of("Repository", "Tag", "ID", "CreatedSince", "Size",
                            "SharedSize", "UniqueSize", "Containers")).show("", images)
                    + "\nContainers space usage:\n\n"
                    + new Listing(ContainerRow.HEADERS, List.of("ID", "Image", "Command", "LocalVolumes", "Size",
                            "RunningFor", "Status", "Names")).show("", containers)
                    + "\nLocal Volumes space usage:\n\n" + volumes(usage)
                    + "\nBuild cache usage: " + Human.size(cacheBytes(usage), 4) + "\n\n" + cache(usage, now);
        } catch (EngineException.Invalid e) {
            throw new TemplateException(e.getMessage());
        }
    }

    private static String volumes(Json.Obj usage) throws EngineException.Invalid {
        var text = new StringBuilder("VOLUME NAME\tLINKS\tSIZE\n");
        for (var volume : usage.objects("Volumes")) {
            var use = volume.object("UsageData");
            text.append(volume.text("Name")).append('\t').append(use.number("RefCount", 0)).append('\t')
                    .append(Human.size(Math.max(0, use.number("Size", 0)), 4)).append('\n');
        }
        return Table.align(text.toString());
    }

    private static long cacheBytes(Json.Obj usage) throws EngineException.Invalid {
        long bytes = 0;
        for (var record : usage.objects("BuildCache")) {
            bytes += record.truth("Shared") ? 0 : record.number("Size", 0);
        }
        return bytes;
    }

    private static String cache(Json.Obj usage, Instant now) throws EngineException.Invalid {
        var text = new StringBuilder("CACHE ID\tCACHE TYPE\tSIZE\tCREATED\tLAST USED\tUSAGE\tSHARED\n");
        for (var record : usage.objects("BuildCache")) {
            text.append(Human.ellipsis(record.text("ID"), 12)).append('\t').append(record.text("Type")).append('\t')
                    .append(Human.size(record.number("Size", 0), 4)).append('\t')
                    .append(age(record.text("CreatedAt"), now)).append('\t')
                    .append(age(record.text("LastUsedAt"), now)).append('\t')
                    .append(record.number("UsageCount", 0)).append('\t').append(record.truth("Shared")).append('\n');
        }
        return Table.align(text.toString());
    }

    private static String age(String instant, Instant now) {
        return instant.isEmpty() ? "" : Human.duration(now.getEpochSecond() - Instant.parse(instant).getEpochSecond())
                + " ago";
    }
}
