#include "wire/html_title.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/vector.h"
#include "wire/limits.h"

namespace kua::wire {
namespace {

std::optional<std::string> title(std::string_view page, std::size_t bytes_max = 100) {
  return html_title(as_bytes(page), bytes_max);
}

struct TitleCase {
  const char* says;
  const char* page;
  std::optional<std::string> title;
};

TEST(HtmlTitle, IsFoundAsABrowserFindsIt) {
  const TitleCase kCases[] = {
      {"plain", "<html><head><title>Access denied</title>", "Access denied"},
      {"capitals and attributes", "<TITLE lang='ru'\n>Запрещено</TiTlE >", "Запрещено"},
      {"white space is folded", "<title>\r\n  Access \t\n denied  </title>", "Access denied"},
      {"references", "<title>A &amp; B &lt;C&gt; &#1044;&#x430;&nbsp;&quot;</title>",
       "A & B <C> Да \""},
      {"what is no reference stays", "<title>a & b &bogus; &#; &#xD800; &</title>",
       "a & b &bogus; &#; &#xD800; &"},
      {"a comment is passed over", "<!-- <title>no</title> --><title>yes</title>", "yes"},
      {"a script is passed over", "<script>x='<title>no</title>'</script><title>yes</title>",
       "yes"},
      {"a style is passed over", "<STYLE>/*<title>no</title>*/</style><title>yes</title>", "yes"},
      {"the first of two", "<title>first</title><title>second</title>", "first"},
      {"markup inside is text", "<title>a <b>c</b></title>", "a <b>c</b>"},
      {"a page that ends inside its title", "<title>Access den", "Access den"},
      {"an empty one is a title", "<title></title>", ""},
      {"another element's name", "<titles>no</titles>", std::nullopt},
      {"a tag that never ends", "<title", std::nullopt},
      {"a comment that never ends", "<!-- <title>no</title>", std::nullopt},
      {"none", "<html><body>hello", std::nullopt},
      {"nothing", "", std::nullopt},
  };
  for (const auto& c : kCases) EXPECT_EQ(title(c.page), c.title) << c.says;
}

TEST(HtmlTitle, IsCutBetweenCharacters) {
  EXPECT_EQ(title("<title>abcdef</title>", 4), "abcd");
  EXPECT_EQ(title("<title>ДД</title>", 3), "Д");
  EXPECT_EQ(title("<title>Д😀</title>", 5), "Д");
  EXPECT_EQ(title("<title>Д😀</title>", 6), "Д😀");
  EXPECT_EQ(title("<title>abc d</title>", 4), "abc");  // no white space at the end
  EXPECT_EQ(title("<title>\xc4\xee\xf1\xf2\xf3\xef</title>", 4),
            "\xc4\xee\xf1\xf2");  // windows-1251
  EXPECT_EQ(title("<title>abc</title>", 0), "");
}

TEST(HtmlTitle, IsNotSoughtForEver) {
  const std::string late = std::string(kHtmlTitleSearchBytesMax, ' ') + "<title>late</title>";
  EXPECT_EQ(title(late), std::nullopt);
  EXPECT_EQ(title("<title>" + std::string(2 * kHtmlTitleSearchBytesMax, 'x'), 10),
            std::string(10, 'x'));
}

}  // namespace
}  // namespace kua::wire
