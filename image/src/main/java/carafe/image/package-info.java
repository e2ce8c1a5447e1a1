@NullMarked
package carafe.image;

import org.jspecify.annotations.NullMarked;
