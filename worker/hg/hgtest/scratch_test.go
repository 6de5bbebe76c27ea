package hgtest
import ("testing";"math/rand/v2";"os";"strconv";"fmt")
func TestScratchCompare(t *testing.T){
 n,_:=strconv.Atoi(os.Getenv("N")); hg:=os.Getenv("H"); if n==0 {t.Skip()}
 g:=NewGenerator(t,hg); real:=NewReal(t,hg); vs:=Variants(); y:=NewTally(t)
 for i:=0;i<n;i++{ v:=vs[(i*5)%len(vs)]; dir:=g.New(t,uint64(i+1000),v); in:=Info(t,real,dir)
  fmt.Println(dir,v)
  Compare(t,y,dir,WideCommands(rand.New(rand.NewPCG(uint64(i),7)),in,40),Named{"cli",CLI(hg)},Named{"server",real}) }
}
