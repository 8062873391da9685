/** What people say to each other, for whoever has no conversations at hand. Written for this. */
export const SAMPLE_TURNS: readonly { readonly speaker: string; readonly text: string }[] = [
  {
    speaker: 'Ada',
    text: 'I moved the standing desk to the window, and I get twice as much done.',
  },
  {
    speaker: 'Ben',
    text: 'Could you remind me to call the landlord about the heating on Thursday?',
  },
  {
    speaker: 'Ada',
    text: 'My sister is vegetarian now, so the place with the grilled fish is out.',
  },
  {
    speaker: 'Ben',
    text: 'I finished the second week of the running plan. The long run was eleven kilometres, in the rain, and I was surprised how much I liked it.',
  },
  {
    speaker: 'Ada',
    text: 'Please use tabs in this project, and keep the lines below one hundred.',
  },
  {
    speaker: 'Ben',
    text: 'The build fails since Monday when the cache folder is on another disk.',
  },
  {
    speaker: 'Ada',
    text: 'We decided against the migration: the old table is read by the billing job, and nobody wants to touch that before the end of the quarter.',
  },
  { speaker: 'Ben', text: 'No sugar for me, thanks.' },
  { speaker: 'Ada', text: 'The train at 7:42 was late again; I will take the one before it.' },
  {
    speaker: 'Ben',
    text: 'When I was nine we lived above a bakery, and the smell at five in the morning is still my favourite smell of all.',
  },
  { speaker: 'Ada', text: 'Could we try the other supplier? These screws break when it freezes.' },
  { speaker: 'Ben', text: 'Her name is Ines, with one n, and she starts on the first of March.' },
  {
    speaker: 'Ada',
    text: 'I read the report twice. The numbers for spring are right, but the chart on page four counts the returns as sales, so the trend looks much better than it is.',
  },
  { speaker: 'Ben', text: 'The dog ate half a sock. The vet says to wait until tomorrow.' },
  { speaker: 'Ada', text: 'I prefer to be asked before anything is deleted.' },
  {
    speaker: 'Ben',
    text: 'For the talk I need three examples that a beginner understands in a minute, and one that makes the experts sit up.',
  },
  { speaker: 'Ada', text: 'The key is with the neighbours on the second floor, to the left.' },
  { speaker: 'Ben', text: 'My allergy test came back: it is birch and hazel, not the cat.' },
  {
    speaker: 'Ada',
    text: 'We walked along the coast for six days, slept in huts, and met nobody but a man who collects lighthouses.',
  },
  { speaker: 'Ben', text: 'Deploys on Fridays only before noon, that was the agreement.' },
];
