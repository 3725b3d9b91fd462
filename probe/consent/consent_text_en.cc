#include "probe/consent/consent_text.h"

namespace kua::probe::internal {

constexpr ConsentText kConsentEnglish{
    .code = "en",
    .title = "Kua: please read this before you start. It takes two minutes; three questions follow.",
    .basic = R"(1. What Kua does. Several times an hour it contacts well-known sites and apps from your line: social
   networks, messengers, news. Some of them may be blocked where you live. Your provider, and whoever
   else watches your line, can see which ones, just as if you had opened them. They may also recognise
   that Kua is running.
2. The risk. Where you live this may be forbidden, or bring questions. We cannot give you legal advice.
   Do not run Kua if you are in danger, if you are being watched already, if you are under age, or if
   the line belongs to somebody who has not agreed.
3. What leaves this device. For each test: the time, rounded to ten seconds, your country and network,
   and what every step saw. Your own addresses are removed. It goes to the operator of your join link
   and to nobody else, over a connection that your provider cannot read. As every server, the
   operator's sees your address while you are connected; it must not store it. From the reports of
   several people the operator publishes what could be reached where, for good; a group so small that
   it would point to you is not shown.
4. What is tested. Only what stands on a list that the operator signed, and where those pages redirect
   to: popular social, messaging, news and civic sites. Nothing pornographic, nothing violent, nothing
   of a banned organisation, ever. You can switch categories off in the configuration.
5. How to stop. End the program, and nothing is tested any more. `kua-probe consent withdraw` takes your
   consent back and deletes what was not sent yet; with --wipe it deletes everything Kua keeps here.
   The operator deletes on request what your probe sent and what is not published yet.
6. There is no payment, no ranking and no badge, and nobody is told who takes part.
7. In a shutdown results wait on this device, unencrypted, until the line returns. If that is a danger
   to you, do not run Kua, or let it keep less (spool.age_max in the configuration).
8. If somebody questions you about it, you need not explain it alone. Ask your operator now, before you
   start, whom to call then.
)",
    .expert = R"(Expert level, in addition: Kua records the packets of its own connections, never those of others, and
traces the path to a target with packets that expire on their way. Ordinary programs do neither, so a
watcher can tell more easily what runs here.
)",
    .before_quiz = "Three questions, so that nobody agrees without having read it:",
    .quiz = {{
        {.question = "Who can see which sites Kua contacts from your line?",
         .answers = {"Nobody", "My provider and whoever watches my line", "Only the operator of Kua"},
         .right = 1,
         .because = "Your provider sees it, as if you had opened the sites yourself (paragraph 1)."},
        {.question = "You think that you are being watched. What do you do?",
         .answers = {"I do not run Kua", "I run it at night only", "I choose the low profile"},
         .right = 0,
         .because = "Then Kua should not run at all (paragraph 2)."},
        {.question = "How do you take your consent back?",
         .answers = {"That is not possible", "I write to the operator and wait",
                     "With `kua-probe consent withdraw`, at any time"},
         .right = 2,
         .because = "One command does it, at any time (paragraph 5)."},
    }},
    .answer_prompt = "Your answer (1-3): ",
    .wrong = "Not quite.",
    .final_question = "Do you agree that Kua measures from this line, and is the line yours to decide about? (yes/no): ",
    .yes_words = {"yes", "y"},
    .declined = "Nothing was accepted and nothing will be measured.",
    .accepted = "Thank you. Your consent is recorded on this device.",
};

}  // namespace kua::probe::internal
